#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A range that cannot be read is never touched, one that cannot be written is the kernel's; access regained is followed.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc sync_access sync_access.c
t_judge sync_access -- first=3 persisted=2 access=7 nothing=1
