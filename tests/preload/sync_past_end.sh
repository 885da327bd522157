#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A range past the end of the file gives no signal, and costs no kernel call.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc sync_past_end sync_past_end.c
t_judge sync_past_end -- first=1 persisted=3
