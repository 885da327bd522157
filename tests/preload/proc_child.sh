#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A forked child's msync is served as the parent's: persisted, first call for new mappings, counted by itself.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc proc_child proc_child.c
# The mapping that the child touches moves ctime: one commit for the parent.
t_judge proc_child -- first=2 persisted=4 commit=1
[ "$(grep -c '^libpmemshim: process' "$T_WORK/shim.stats")" = 2 ] || t_fail "one block for each process was expected"
