#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A fortified program runs, and one that overflows dies as it does without the shim.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc copy_fortified copy_fortified.c -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -O2 -fbuiltin
nm -D --undefined-only "$T_BIN/copy_fortified" >"$T_WORK/imported"
for name in __memcpy_chk __memmove_chk __memset_chk __mempcpy_chk __wmemcpy_chk; do
	grep -q " $name" "$T_WORK/imported" || t_fail "the program does not call $name"
done
ulimit -c 0
T_KEYS=refresh=0,copy_min=64
t_judge copy_fortified fine -- first=1 persisted=1 copies=6
for function in memcpy memmove memset mempcpy wmemcpy; do
	T_TRACE=''
	t_run bare "$T_BIN/copy_fortified" $function
	t_run shim "$T_BIN/copy_fortified" $function
	sed -i 's/line [0-9]*: *[0-9]* Aborted.*/Aborted/' "$T_WORK"/{bare,shim}.err
	t_same out err status
	[ "$(cat "$T_WORK/bare.status")" = 134 ] || t_fail "$function: the bare run did not abort"
	grep -q 'buffer overflow detected' "$T_WORK/shim.err" || t_fail "$function: no message"
done
