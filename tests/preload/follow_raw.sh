#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# An unmapping behind the shim's back leaves nothing behind: the next mapping at the place is judged anew.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc follow_raw follow_raw.c
T_FOREIGN=3
t_judge follow_raw -- first=1 persisted=1
