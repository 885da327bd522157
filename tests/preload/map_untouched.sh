#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Private, anonymous, read-only and unruled mappings: the system calls of the bare run, but for a look at shared files.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc map_untouched map_untouched.c
T_TRACE=all
for kind in private anonymous outside; do
	t_run bare "$T_BIN/map_untouched" $kind
	t_run shim "$T_BIN/map_untouched" $kind
	t_same out err status
	for who in bare shim; do
		# Between the markers; addresses and process numbers do not matter.
		sed -n '/"begin/,/"end/p' "$T_WORK/$who.strace" |
			sed -E 's/^[0-9]+ +//; s/0x[0-9a-f]{6,}/ADDR/g' >"$T_WORK/$who.calls"
		[ "$(wc -l <"$T_WORK/$who.calls")" -ge 6 ] || t_fail "$who: nothing was traced"
	done
	# The look at a shared file: its kind and its name, never a call that changes anything.
	[ $kind = outside ] && sed -i -E '/^(statx|readlinkat|readlink)\(/d' "$T_WORK/shim.calls"
	t_same calls
done
