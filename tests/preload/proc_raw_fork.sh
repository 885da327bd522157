#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# In a child made past fork(2)'s handlers (_Fork, raw clone) every msync is the kernel's.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc proc_raw_fork proc_raw_fork.c
for how in _Fork clone; do
	t_run bare "$T_BIN/proc_raw_fork" $how
	t_run shim "$T_BIN/proc_raw_fork" $how
	t_same out err status
	# One in the parent, three in the child.
	[ "$(t_straced msync shim)" = 4 ] || t_fail "$how: $(t_straced msync shim) msync calls, 4 expected"
	t_expect first=1 persisted=1
done
