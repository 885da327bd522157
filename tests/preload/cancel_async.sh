#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Threads cancelled asynchronously in msync, copies and mapping calls end, and leave nothing locked.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc cancel_async cancel_async.c
T_TRACE=''
T_KEYS=refresh=0,copy_min=64
t_judge cancel_async
[ "$(t_count 'msync persisted')" -ge 400 ] || t_fail "only $(t_count 'msync persisted') calls persisted"
