#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Arguments that the kernel refuses, or takes for nothing, have the kernel's answers without the kernel.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc sync_arguments sync_arguments.c
t_judge sync_arguments -- first=1 persisted=3 invalid=10 nothing=7
