#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A child of a child made past fork's handlers does not believe a registry that nobody kept up to date.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc proc_raw_grandchild proc_raw_grandchild.c
t_run bare "$T_BIN/proc_raw_grandchild"
t_run shim "$T_BIN/proc_raw_grandchild"
t_same out err status
# The first call of the parent, and the one on a file that has no rule.
[ "$(t_straced msync shim)" = 2 ] || t_fail "the msync of a file without a rule did not reach the kernel"
