#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A child made past fork's handlers does not count its parent's calls once more.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc proc_raw_statistics proc_raw_statistics.c
t_judge proc_raw_statistics -- first=1 persisted=3
