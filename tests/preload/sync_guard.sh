#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Guard pages (MADV_GUARD_INSTALL, kernel 6.15) give no signal in msync.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc sync_guard sync_guard.c
t_run bare "$T_BIN/sync_guard"
grep -q '^madvise.* = 0 ' "$T_WORK/bare.out" || t_skip "this kernel has no guard pages in file mappings"
t_run shim "$T_BIN/sync_guard"
t_same out err status
