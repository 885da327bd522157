#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The statistics never kill the program: at RLIMIT_FSIZE they are lost.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc stats_limit stats_limit.c
T_TRACE=''
ulimit -c 0
t_run bare "$T_BIN/stats_limit"
t_run shim "$T_BIN/stats_limit"
[ "$(cat "$T_WORK/bare.status")" = 42 ] || t_fail "the bare run left with $(cat "$T_WORK/bare.status")"
t_same out status
