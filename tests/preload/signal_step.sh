#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A signal at every instruction of a copy, an msync and a mapping call: a handler that does the same returns or jumps away, and all is right.
. "$T_ROOT/tests/support/t_preload.sh"
[ "$(uname -m)" = x86_64 ] || t_skip 'break points are x86'
t_cc signal_step signal_step.c
T_TRACE=''
T_KEYS=refresh=0,copy_min=64
# Minutes in an emulated machine, where the instructions are the same.
stride=1
ways=(work jump)
if t_real; then stride=48 ways=(work); fi
for how in "${ways[@]}"; do
	t_run bare "$T_BIN/signal_step" "$how" "$stride"
	t_run shim "$T_BIN/signal_step" "$how" "$stride"
	cat "$T_WORK/shim.err"
	t_same out status
	grep -c right "$T_WORK/shim.out" | grep -qx 9 ||
		t_fail "$how: $(grep -m1 -v right "$T_WORK/shim.out"), $(tail -n 1 "$T_WORK/shim.err")"
	# Not only libc's instructions were met.
	awk -v least=$((3000 / stride)) '/ points of / { n += $2 } END { exit n < least }' "$T_WORK/shim.err" ||
		t_fail "$how: too few points"
done
