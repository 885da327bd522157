#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# MAP_FIXED_NOREPLACE fails where something is, and with the kernel's errno; else it maps, tracked.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc map_noreplace map_noreplace.c
t_judge map_noreplace -- first=1 persisted=2
