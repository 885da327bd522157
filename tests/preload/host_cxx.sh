#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A C++ program whose exceptions pass through callbacks of libc, and whose cancelled thread unwinds out of msync, works as without the shim.
. "$T_ROOT/tests/support/t_preload.sh"
cxx=${CXX:-g++}
t_need "$cxx" g++
"$cxx" -O1 -g -fno-builtin -Wall -Wextra -o "$T_WORK/host_cxx" "$T_ROOT/tests/preload/host_cxx.cc" -lpthread ||
	t_fail "it does not compile"
T_KEYS=refresh=0,kernel_above=never,copy_min=64
t_run bare "$T_WORK/host_cxx"
t_run shim "$T_WORK/host_cxx"
for line in 'left the caller' 'caught: tired of comparing' 'passing on' 'left the try' 'left the thread' 'cancelled 1'; do
	grep -qx "$line" "$T_WORK/bare.out" || t_fail "the bare run did not say: $line"
done
t_same out err status
t_account
t_expect first=1 persisted=3 commit=any
[ "$(t_count "$(t_counter copies)")" -ge 2 ] || t_fail "no copy was ours"
