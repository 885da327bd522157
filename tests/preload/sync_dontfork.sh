#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What MADV_DONTFORK kept from a child is not there for its msync; MADV_DOFORK brings it back.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc sync_dontfork sync_dontfork.c
# One call of the child begins in the hole.
T_FOREIGN=1
t_judge sync_dontfork -- first=1 persisted=5 partly=1
