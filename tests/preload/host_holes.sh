#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A program that fills the holes of its address space by MAP_FIXED finds nothing of the shim in them.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc host_holes host_holes.c
t_judge host_holes -- first=10 persisted=10
