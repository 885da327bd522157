#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# mremap in all its forms: what it made is tracked, what it took is forgotten.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc follow_remap follow_remap.c
remap() { # ARGUMENT FOREIGN EXPECTED...
	local what=$1
	T_FOREIGN=$2
	shift 2
	t_judge follow_remap "$what" -- first=1 commit=any "$@"
	# Each is of one page, all of it in the file: where the page is, is known.
	[ "$(t_count 'bytes flushed')" = $((4096 * $(t_count "$(t_counter persisted)"))) ] ||
		t_fail "$what: $(t_count 'bytes flushed') bytes flushed"
}
remap grow 0 persisted=2
# Where it was is first a hole, then a file without a rule.
remap move 2 persisted=2
remap shrink 2 persisted=1
remap fixed 2 persisted=2
remap duplicate 0 persisted=3
remap dontunmap 0 persisted=3
remap fails 0 persisted=2
# It fails, and what the shim is not sure of is the kernel's from then on.
remap across 2 persisted=0
remap over 2 persisted=1 partly=1
remap onto 1 persisted=0
