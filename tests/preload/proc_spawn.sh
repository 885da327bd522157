#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# vfork and exec, posix_spawn, system and popen work, and their programs have the shim, too.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc proc_spawn proc_spawn.c
t_judge proc_spawn -- first=6 persisted=7
