#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Threads that sync and copy while the process exits do no harm, and msync works in exit handlers and destructors.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc proc_exit proc_exit.c
T_TRACE=''
for i in 1 2 3 4 5 6 7 8 9 10; do
	t_run bare "$T_BIN/proc_exit"
	t_run shim "$T_BIN/proc_exit"
	t_same out err status
	[ "$(t_count 'msync persisted')" -ge 10 ] || t_fail "run $i: nothing was persisted"
done
