#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# msync stays a cancellation point when it is persisted from user space, and no other call becomes one.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc cancel cancel.c
t_judge cancel -- first=1 persisted=3
