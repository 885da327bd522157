#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# In a set-user-ID program the library is inert: no configuration, no statistics, every msync the kernel's.
. "$T_ROOT/tests/support/t_preload.sh"
[ "$(id -u)" = 0 ] || t_skip "needs root to make a set-user-ID program"
t_need strace strace
t_only_tmpfs "the program needs a place that another user can reach"
# ld.so ignores a preloaded path in such a program, so it is linked against the
# library, which puts the library before libc all the same.
mkdir -m 755 "$T_DATA/bin"
cp "$T_SO" "$T_DATA/bin/libpmemshim.so"
# Where the library lies changes from run to run: built anew.
rm -f "$T_BIN/load_setuid"
t_cc load_setuid load_setuid.c -L"$T_DATA/bin" -Wl,-rpath,"$T_DATA/bin" -Wl,--no-as-needed -lpmemshim
chmod 755 "$T_DATA"
run() { # MODE -> the number of msync calls in $calls
	install -m "$1" -o root "$T_BIN/load_setuid" "$T_DATA/bin/program"
	rm -rf "$T_DATA/stats" "$T_FILES"
	mkdir -p "$T_DATA/stats" "$T_FILES"
	chmod 777 "$T_DATA/stats" "$T_FILES"
	PMEMSHIM_PATHS="$T_FILES,assume_pmem=yes,refresh=0" PMEMSHIM_STATS="$T_DATA/stats" \
		strace -f -u nobody -qq -e trace=msync -o "$T_WORK/strace" \
		"$T_DATA/bin/program" >"$T_WORK/out" 2>"$T_WORK/err" || t_fail "mode $1: $(cat "$T_WORK/err")"
	calls=$(grep -c 'msync(' "$T_WORK/strace")
}
run 755
grep -q '^secure 0$' "$T_WORK/out" || t_fail "the comparison is secure, too"
[ "$calls" = 1 ] || t_fail "without the bit the library did not work: $calls msync"
[ -n "$(ls "$T_DATA/stats")" ] || t_fail "without the bit no statistics were written"
run 4755
grep -q '^secure 1$' "$T_WORK/out" || t_skip "the set-user-ID bit has no effect here (nosuid?)"
[ "$calls" = 3 ] || t_fail "$calls msync calls reached the kernel, 3 were made"
[ -z "$(ls "$T_DATA/stats")" ] || t_fail "statistics were written"
[ ! -s "$T_WORK/err" ] || t_fail "it spoke: $(cat "$T_WORK/err")"
