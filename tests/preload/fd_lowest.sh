#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A mapping leaves the lowest free descriptor number as it was, and its own descriptor is not inherited by exec.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc fd_lowest fd_lowest.c
t_judge fd_lowest -- first=3 persisted=3
