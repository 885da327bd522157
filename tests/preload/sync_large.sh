#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A range larger than kernel_above is the kernel's, one as large is not; the default is 4 MiB.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc sync_large sync_large.c
T_KEYS=refresh=0,kernel_above=8K
t_judge sync_large 2 -- first=1 persisted=2 large=1
T_KEYS=refresh=0
t_judge sync_large 1024 -- first=1 persisted=2 large=1
T_KEYS=refresh=0,kernel_above=never
t_judge sync_large 1024 -- first=1 persisted=3
