#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The first call on each mapping is the kernel's: it commits what was done before the mapping was made.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc sync_first sync_first.c
t_judge sync_first -- first=4 persisted=3 nothing=1
