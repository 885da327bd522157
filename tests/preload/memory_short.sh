#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Without memory for the shim's own records mappings are the kernel's, and what came before and comes after is right.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc memory_short memory_short.c
t_run bare "$T_BIN/memory_short"
t_run shim "$T_BIN/memory_short"
t_same out err status
refused=$(t_count 'mappings refused: no memory')
[ "$refused" -ge 1 ] || t_fail "memory was not short at any limit"
# Two calls on each mapping that was refused; a mapping that lost its record to
# another one would add some that nothing counts.
T_FOREIGN=$((2 * refused))
t_account
