#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Under valgrind memcheck the program works as without the shim, and no error is reported.
. "$T_ROOT/tests/support/t_preload.sh"
t_need valgrind valgrind
t_cc with_host with_host.c
T_TRACE=''
T_KEYS=refresh=0,copy_min=64
t_run bare valgrind -q --error-exitcode=9 "$T_BIN/with_host"
t_run shim valgrind -q --error-exitcode=9 "$T_BIN/with_host"
t_same out err status
[ "$(cat "$T_WORK/shim.status")" = 7 ] || t_fail "exit status $(cat "$T_WORK/shim.status")"
[ "$(t_count 'msync')" -ge 1 ] || t_fail "the shim did nothing"
