#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A program started by run is served: of ten msyncs few reach the kernel, with mode=kernel or off all of them.
. "$T_ROOT/tests/support/t_cli.sh"
t_need strace strace
t_cc dynamic program.c
calls() { # OPTION...: msync system calls of the program
	strace -f -qq -e trace=msync -o "$T_WORK/strace" "$T_CLI" run \
		-p "$T_DATA,assume_pmem=yes,refresh=0" -l error "$@" -- \
		"$T_BIN/dynamic" "$T_DATA/file" >"$T_WORK/out" || t_fail "it failed"
	t_says out 'done'
	grep -c 'msync(' "$T_WORK/strace"
}
[ "$(calls)" -le 3 ] || t_fail "the program is not served"
[ "$(calls -m kernel)" = 10 ] || t_fail "mode=kernel is not the kernel's msync"
[ "$(calls -m off)" = 10 ] || t_fail "mode=off does something"
calls -s "$T_WORK/stats" >/dev/null
[ -s "$T_WORK/stats" ] || t_fail "no statistics"
