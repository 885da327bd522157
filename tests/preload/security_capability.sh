#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# In a program with file capabilities, and in a set-group-ID one, the library is inert, whatever the environment says.
. "$T_ROOT/tests/support/t_preload.sh"
[ "$(id -u)" = 0 ] || t_skip "needs root to give a program capabilities"
t_need strace strace
t_need setcap libcap2-bin
t_only_tmpfs "the program needs a place that another user can reach"
# ld.so ignores a preloaded path in such a program, so it is linked against the
# library, which puts the library before libc all the same.
mkdir -m 755 "$T_DATA/bin"
cp "$T_SO" "$T_DATA/bin/libpmemshim.so"
rm -f "$T_BIN/security_capability"
t_cc security_capability load_setuid.c -L"$T_DATA/bin" -Wl,-rpath,"$T_DATA/bin" -Wl,--no-as-needed -lpmemshim
chmod 755 "$T_DATA"
run() { # what the program is, and a command that makes it so
	install -m 755 "$T_BIN/security_capability" "$T_DATA/bin/program"
	"${@:2}" || t_skip "no $1 here"
	rm -rf "$T_DATA/stats" "$T_FILES"
	mkdir -p "$T_DATA/stats" "$T_FILES"
	chmod 777 "$T_DATA/stats" "$T_FILES"
	PMEMSHIM_PATHS="$T_FILES,assume_pmem=yes,refresh=0" PMEMSHIM_STATS="$T_DATA/stats" \
		PMEMSHIM_LOG=trace PMEMSHIM_DEEPBIND=nonsense \
		strace -f -u nobody -qq -e trace=msync -o "$T_WORK/strace" \
		"$T_DATA/bin/program" >"$T_WORK/out" 2>"$T_WORK/err" || t_fail "$1: $(cat "$T_WORK/err")"
	calls=$(grep -c 'msync(' "$T_WORK/strace")
}
run 'plain program' true
grep -q '^secure 0$' "$T_WORK/out" || t_fail "the comparison is secure, too"
[ "$calls" = 1 ] || t_fail "in a plain program the library did not work: $calls msync"
grep -q PMEMSHIM_DEEPBIND "$T_WORK/err" || t_fail "in a plain program it said nothing"
inert() { # WHAT
	grep -q '^secure 1$' "$T_WORK/out" || t_skip "a $1 is not privileged here (nosuid?)"
	[ "$calls" = 3 ] || t_fail "$1: $calls msync calls reached the kernel, 3 were made"
	[ -z "$(ls "$T_DATA/stats")" ] || t_fail "$1: statistics were written"
	[ ! -s "$T_WORK/err" ] || t_fail "$1: it spoke: $(cat "$T_WORK/err")"
}
run 'file capability' setcap cap_net_bind_service+ep "$T_DATA/bin/program"
inert 'program with a file capability'
run 'set-group-ID bit' chmod 2755 "$T_DATA/bin/program"
inert 'set-group-ID program'
