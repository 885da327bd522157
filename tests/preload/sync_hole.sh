#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A range with a hole in it, or that reaches memory of another kind, is the kernel's as a whole.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc sync_hole sync_hole.c
# Two calls begin in untracked memory.
T_FOREIGN=2
t_judge sync_hole -- first=1 persisted=3 partly=6
