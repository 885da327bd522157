#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Eight threads map, unmap, sync and copy in each other's ranges: nothing is flushed after its munmap, a copy faults at the program's address or not at all.
# For minutes: T_RACE_SECONDS=600 T_TIMEOUT=2000 tests/preload/run race_threads
. "$T_ROOT/tests/support/t_preload.sh"
t_cc race_threads race_threads.c
T_TRACE=''
T_KEYS=refresh=0,copy_min=64
for who in bare shim; do
	t_run $who "$T_BIN/race_threads" "${T_RACE_SECONDS:-3}"
done
cat "$T_WORK/shim.err"
t_same out status
grep -qx '0 wrong, enough' "$T_WORK/shim.out" || t_fail "$(cat "$T_WORK/shim.out" "$T_WORK/shim.err")"
[ "$(t_count 'msync persisted')" -ge 100 ] || t_fail "only $(t_count 'msync persisted') calls persisted"
[ "$(t_count "$(t_counter copies)")" -ge 100 ] || t_fail "only $(t_count "$(t_counter copies)") copies"
