#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# RTLD_DEEPBIND is taken off unless it is to be kept, and dlopen still takes run path, $ORIGIN, namespace and errors from its caller.
. "$T_ROOT/tests/support/t_preload.sh"
[ "$(uname -m)" = x86_64 ] || t_skip "dlopen is interposed on x86-64 only"
t_need objdump binutils
mkdir -p "$T_BIN/deep"
t_cc deep/libdeepinner.so load_deepbind.lib.c -DINNER='"inner"' -shared -fPIC
t_cc deep/libdeepsecond.so load_deepbind.lib.c -DINNER='"second"' -shared -fPIC
for how in "" EARLY; do
	# shellcheck disable=SC2016 # ld.so reads $ORIGIN
	t_cc "libdeepouter$how.so" load_deepbind.lib.c ${how:+-D$how} -shared -fPIC \
		-Wl,-soname,"libdeepouter$how.so" -Wl,--enable-new-dtags,-rpath,'$ORIGIN/deep'
	# The program's own run path leads to the outer library and no further.
	t_cc "load_deepbind$how" load_deepbind.c -L"$T_BIN" -Wl,--enable-new-dtags,-rpath,"$T_BIN" "-ldeepouter$how"
done
T_KEYS=refresh=0,kernel_above=never,copy_min=64
for how in "" EARLY; do
	t_judge "load_deepbind$how" -- first=1 persisted=5 copies=2
	[ "$(grep -c '^outer.*found$' "$T_WORK/bare.out")" = "$([ -n "$how" ] && echo 6 || echo 4)" ] ||
		t_fail "the run path leads nowhere: $(cat "$T_WORK/bare.out")"
done
grep -q '^second$' "$T_WORK/bare.out" || t_fail "the flag has no effect in another namespace"
# Kept, the modules' calls go past the shim.
export PMEMSHIM_DEEPBIND=keep
T_FOREIGN=4 t_judge load_deepbind -- first=1 persisted=1 copies=0
unset PMEMSHIM_DEEPBIND
home() { # EXPECTED [VARIABLE=VALUE...]
	local expected=$1 got
	shift
	got=$(env "$@" LD_PRELOAD="$T_SO" "$T_BIN/load_deepbind" home 2>"$T_WORK/err" | tail -n 1)
	[ "$got" = "$expected" ] || t_fail "$*: the modules' msync are in $got, expected $expected"
}
home 'libpmemshim.so libpmemshim.so libc.so.6' "PMEMSHIM_PATHS=$(t_rule)"
home 'libc.so.6 libc.so.6 libc.so.6' "PMEMSHIM_PATHS=$(t_rule)" PMEMSHIM_DEEPBIND=keep
# Without a rule the shim has no reason to meddle.
home 'libc.so.6 libc.so.6 libc.so.6' PMEMSHIM_PATHS=
home 'libpmemshim.so libpmemshim.so libc.so.6' "PMEMSHIM_PATHS=$(t_rule)" PMEMSHIM_DEEPBIND=yes
grep -q "^libpmemshim: PMEMSHIM_DEEPBIND: 'yes' is unknown, accepted: drop|keep; drop is used$" "$T_WORK/err" ||
	t_fail "a bad value: $(cat "$T_WORK/err")"
# However it was compiled: a jump, and nothing on the stack.
for name in dlopen dlmopen; do
	objdump -d --no-show-raw-insn --disassemble=$name "$T_SO" >"$T_WORK/code"
	grep -q 'jmp  *\*' "$T_WORK/code" || t_fail "$name does not jump on"
	if grep -E '[[:space:]](call|push|sub|ret)' "$T_WORK/code"; then t_fail "$name has a frame"; fi
done
