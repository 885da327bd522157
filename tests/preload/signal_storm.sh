#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copies, msync and mappings in a signal handler that interrupts copies, msync and mappings: right, and errno kept.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc signal_storm signal_storm.c
T_TRACE=''
T_KEYS=refresh=0,copy_min=64
t_judge signal_storm
grep -q '^0 wrong$' "$T_WORK/shim.out" || t_fail "$(cat "$T_WORK/shim.out")"
[ "$(t_count 'msync persisted')" -ge 1000 ] || t_fail "only $(t_count 'msync persisted') calls persisted"
