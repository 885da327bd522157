#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# With libfaketime beside it, in both orders and with time standing still, the shim keeps its own time.
. "$T_ROOT/tests/support/t_preload.sh"
lib=
for lib in /usr/lib/*/faketime/libfaketime.so.1 /usr/lib64/faketime/libfaketime.so.1; do [ -f "$lib" ] && break; done
[ -f "$lib" ] || t_skip "no libfaketime.so.1 (package libfaketime)"
t_cc with_host with_host.c
t_cc with_faketime with_faketime.c
export FAKETIME='2001-01-01 00:00:00'
for T_PRELOAD in "$T_SO:$lib" "$lib:$T_SO"; do
	T_BARE_PRELOAD=$lib
	T_KEYS=refresh=0,kernel_above=never,copy_min=64
	t_judge with_host
	[ "$(t_count 'msync persisted')" -ge 3 ] || t_fail "$T_PRELOAD: the shim did nothing"
	# refresh is a matter of real time
	T_KEYS=refresh=200ms
	t_judge with_faketime -- first=1 persisted=1 refresh=1
done
