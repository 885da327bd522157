#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A program built with AddressSanitizer runs with LD_PRELOAD="libasan.so libpmemshim.so", and its own errors are still found.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc with_host.asan with_host.c -fsanitize=address
lib=$(ldd "$T_BIN/with_host.asan" | awk '/libasan/ { print $3 }')
[ -f "$lib" ] || t_skip "no shared libasan (package libasan8)"
T_TRACE=''
export ASAN_OPTIONS=detect_leaks=0
T_KEYS=refresh=0,kernel_above=never,copy_min=64
T_PRELOAD="$lib $T_SO"
t_judge with_host.asan
[ "$(t_count 'msync persisted')" -ge 3 ] || t_fail "the shim did nothing"
t_cc with_asan with_asan.c -fsanitize=address
t_run bare "$T_BIN/with_asan"
t_run shim "$T_BIN/with_asan"
t_same status
grep -q 'heap-buffer-overflow' "$T_WORK/bare.err" || t_fail "the bare run found nothing"
grep -q 'heap-buffer-overflow' "$T_WORK/shim.err" || t_fail "the error was not found"
