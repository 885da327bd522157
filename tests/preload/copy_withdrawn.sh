#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A copy whose destination is withdrawn, at any of its instructions, faults at a byte of the destination, as libc's does.
. "$T_ROOT/tests/support/t_preload.sh"
[ "$(uname -m)" = x86_64 ] || t_skip 'the trap flag is x86'
t_only_tmpfs 'the instructions are the same there, and an emulated machine is slow'
t_cc copy_withdrawn copy_withdrawn.c
T_TRACE=''
for copy in nt cached; do
	T_KEYS=refresh=0,copy_min=64,copy=$copy
	t_run bare "$T_BIN/copy_withdrawn"
	t_run shim "$T_BIN/copy_withdrawn"
	grep 'bytes' "$T_WORK/shim.err"
	t_same out status
	grep -c 'faults, 0 outside' "$T_WORK/shim.out" | grep -qx 6 ||
		t_fail "copy=$copy: $(grep -m 1 -v ', 0 outside' "$T_WORK/shim.out")"
	[ "$(t_count "$(t_counter copies)")" -ge 12 ] || t_fail "copy=$copy: libc copied"
done
