#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Statistics are not written into memory that the program maps over them; one line says that they end.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc stats_calls stats_calls.c
T_TRACE=''
t_run shim "$T_BIN/stats_calls" taken 100
[ "$(cat "$T_WORK/shim.status")" = 0 ] || t_fail "status $(cat "$T_WORK/shim.status"): $(cat "$T_WORK/shim.err")"
grep -qx taken "$T_WORK/shim.out" || t_fail 'the memory was not found'
{ [ "$(wc -l <"$T_WORK/shim.err")" = 1 ] && grep -q 'they end here' "$T_WORK/shim.err"; } || t_fail "$(cat "$T_WORK/shim.err")"
t_expect first=1 persisted=99 commit=any
