#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Without a free descriptor the mapping is the kernel's; a closed one makes the next mapping tracked.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc fd_exhausted fd_exhausted.c
T_FOREIGN=2
t_judge fd_exhausted -- first=1 persisted=1
[ "$(t_count 'mappings refused: no descriptor')" = 1 ] || t_fail "the reason is not counted"
