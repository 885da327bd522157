#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Each copying function from copy_min on is the shim's, below it libc's: same bytes, same results, neighbours untouched.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc copy_sizes copy_sizes.c
# 20 functions, five lengths of which 252 is below, four misalignments.
for copy in nt cached; do
	T_KEYS=refresh=0,copy_min=256,copy=$copy
	t_judge copy_sizes -- first=1 copies=$((20 * 4 * 4))
done
T_KEYS=refresh=0,copy_min=256,copy=off
t_judge copy_sizes -- first=1 copies=0
grep -q WRONG "$T_WORK/shim.out" && t_fail "$(grep -m1 WRONG "$T_WORK/shim.out")"
true
