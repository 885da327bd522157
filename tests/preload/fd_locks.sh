#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# POSIX locks on a mapped file survive every mapping and unmapping of it.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc fd_locks fd_locks.c
t_judge fd_locks
[ "$(grep -c 'is_locked(fd) = 1' "$T_WORK/shim.out")" = 6 ] || t_fail "the lock was lost: $(grep -m1 'is_locked(fd) = 0' "$T_WORK/shim.out")"
