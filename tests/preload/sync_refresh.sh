#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# One call per mapping and refresh interval is the kernel's; refresh=0 means never.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc sync_refresh sync_refresh.c
T_KEYS=refresh=300ms
t_judge sync_refresh -- first=2 persisted=4 refresh=4
T_KEYS=refresh=0
t_judge sync_refresh -- first=2 persisted=8
