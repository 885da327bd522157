#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# mode=kernel leaves every msync and copy to libc, mode=off does as if the shim were absent.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc config_program config_program.c
T_KEYS=mode=kernel
t_judge config_program -- mode=3
[ "$(t_count 'copies')" = 0 ] || t_fail "a copy was made"
T_KEYS=mode=off
T_FOREIGN=3
t_judge config_program -- persisted=0
[ "$(t_count 'mappings')" = 0 ] || t_fail "a mapping was counted"
# The longest path wins, on whole components, wherever a link leads.
T_FOREIGN=0
mkdir -p "${T_FILES}x"
t_rule() { echo "$T_FILES,assume_pmem=yes,refresh=0;$T_DATA,mode=off;${T_FILES}x,mode=off"; }
t_judge config_program -- first=1 persisted=2
t_rule() { echo "$T_FILES,mode=off;$T_DATA,assume_pmem=yes,refresh=0"; }
T_FOREIGN=3
t_judge config_program -- persisted=0
ln -sfn "$T_FILES" "$T_DATA/link"
mkdir -p "$T_FILES"
t_rule() { echo "$T_DATA/outside/../link/,assume_pmem=yes,refresh=0"; }
T_FOREIGN=0
mkdir -p "$T_OUTSIDE"
t_judge config_program -- first=1 persisted=2
