#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Each *_chk function ends a program that overflows a buffer in a tracked mapping, as it does bare.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc copy_room copy_room.c
ulimit -c 0
T_KEYS=refresh=0,copy_min=64
T_TRACE=''
n=0
# shellcheck disable=SC2013 # words
for function in $(sed -n 's/^SYMBOL([^,]*, \(__[a-z_]*_chk\),.*/\1/p' "$T_ROOT/shim/symbols.def"); do
	for who in bare shim; do
		t_run $who "$T_BIN/copy_room" "$function"
		[ "$(cat "$T_WORK/$who.status")" = 134 ] ||
			t_fail "$function, $who: status $(cat "$T_WORK/$who.status") and not SIGABRT"
	done
	n=$((n + 1))
done
[ $n -ge 9 ] || t_fail "only $n functions"
t_run bare "$T_BIN/copy_room" nothing
[ "$(cat "$T_WORK/bare.status")" = 0 ] || t_fail "the program does nothing right"
