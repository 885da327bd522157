#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Overlapping copies move, also through the memcpy of old programs (memcpy@GLIBC_2.2.5) and below copy_min.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc copy_overlap copy_overlap.c
objdump -T "$T_BIN/copy_overlap" | grep -q 'GLIBC_2.2.5.*memcpy' || t_skip "this compiler or libc has no memcpy@GLIBC_2.2.5"
T_KEYS=refresh=0,copy_min=64
t_judge copy_overlap
grep -q WRONG "$T_WORK/shim.out" && t_fail "$(grep -m1 WRONG "$T_WORK/shim.out")"
[ "$(t_count "$(t_counter copies)")" -ge 1000 ] || t_fail "the shim made $(t_count "$(t_counter copies)") copies only"
