#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# With jemalloc preloaded beside it, in both orders, the program works and is served.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc with_host with_host.c
lib=$("$CC" -print-file-name=libjemalloc.so.2)
[ -f "$lib" ] || lib=$(ldconfig -p | awk '/libjemalloc.so.2/ { print $NF; exit }')
[ -f "$lib" ] || t_skip "no libjemalloc.so.2 (package libjemalloc2)"
T_KEYS=refresh=0,kernel_above=never,copy_min=64
for T_PRELOAD in "$T_SO:$lib" "$lib:$T_SO"; do
	T_BARE_PRELOAD=$lib
	t_judge with_host
	[ "$(t_count 'msync persisted')" -ge 3 ] || t_fail "$T_PRELOAD: the shim did nothing"
done
