#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Flags that MAP_SHARED ignores, that MAP_SHARED_VALIDATE refuses, and MAP_SYNC itself have the kernel's answers.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc map_flags map_flags.c
# On real DAX the program's own MAP_SYNC is granted bare, too.
T_TRACE=''
t_run bare "$T_BIN/map_flags"
t_run shim "$T_BIN/map_flags"
[ -s "$T_WORK/bare.out" ] || t_fail "the bare run said nothing"
t_same out err status
if ! t_real; then grep -q 'errno 95' "$T_WORK/shim.out" || t_fail "EOPNOTSUPP was never seen"; fi
# The odd flag of one mapping does not spoil the next one.
[ "$(tail -n1 "$T_WORK/shim.out")" = "end" ] || t_fail "it did not reach its end"
[ "$(t_count 'msync persisted')" = 1 ] || t_fail "a later plain mapping is not tracked"
