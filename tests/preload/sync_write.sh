#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A write(2) into fallocated space changes neither size nor blocks; its metadata is committed all the same, once.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc sync_write sync_write.c
t_judge sync_write -- first=1 commit=2 persisted=5
