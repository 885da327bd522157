#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# fork handlers of a library that was there before the shim may map and unmap files under a rule.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc libatfork.so proc_atfork.lib.c -shared -fPIC -Wl,-soname,libatfork.so
t_cc proc_atfork proc_atfork.c -L"$T_BIN" -Wl,-rpath,"$T_BIN" -Wl,--no-as-needed -latfork
T_TRACE=''
t_run bare "$T_BIN/proc_atfork"
t_run shim "$T_BIN/proc_atfork"
t_same out status
