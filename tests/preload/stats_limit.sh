#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The statistics never kill the program: at RLIMIT_FSIZE and on a full disk there are none, and one line says so.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc stats_limit stats_limit.c
T_TRACE=''
ulimit -c 0
t_run bare "$T_BIN/stats_limit"
t_run shim "$T_BIN/stats_limit"
[ "$(cat "$T_WORK/bare.status")" = 42 ] || t_fail "the bare run left with $(cat "$T_WORK/bare.status")"
t_same out status
# Set by the program when the file was there already.
t_expect first=1
# Set before the program starts, by a shell without the shim.
mkdir -p "$T_WORK/none"
(
	ulimit -f 8
	PMEMSHIM_PATHS=$(t_rule) PMEMSHIM_STATS=$T_WORK/none LD_PRELOAD=$T_SO \
		"$T_BIN/stats_limit" 2>"$T_WORK/err"
)
status=$?
[ $status = 42 ] || t_fail "status $status"
sed -i '/NOTHING IS DURABLE/d' "$T_WORK/err"
{ [ "$(wc -l <"$T_WORK/err")" = 1 ] && grep -q 'File too large; no statistics' "$T_WORK/err"; } || t_fail "$(cat "$T_WORK/err")"
[ -z "$(ls "$T_WORK/none")" ] || t_fail 'a file was left'
