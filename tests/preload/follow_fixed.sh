#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What MAP_FIXED or SHM_REMAP puts over a tracked range is what msync then sees.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc follow_fixed follow_fixed.c
T_FOREIGN=2
for by in anonymous file private shm; do
	t_judge follow_fixed $by -- first=1 persisted=3 partly=1
done
# A call that fails takes nothing away, or leaves what it took to the kernel.
t_run bare "$T_BIN/follow_fixed" refused
t_run shim "$T_BIN/follow_fixed" refused
t_same out err status
# A second file under a rule is tracked in its own right.
T_FOREIGN=0
t_judge follow_fixed tracked -- first=2 persisted=4
