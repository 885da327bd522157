#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every interposed function works before the shim is initialised, after main began, and after exit.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc libsymbols.so symbols_called.lib.c -shared -fPIC -Wl,-soname,libsymbols.so
t_cc symbols_called symbols_called.c -L"$T_BIN" -Wl,-rpath,"$T_BIN" -Wl,--no-as-needed -lsymbols
# What the compiler had put inline would not be a call.
sed -n 's/^SYMBOL([^,]*, \([a-z0-9_]*\),.*/\1/p' "$T_ROOT/shim/symbols.def" | sort >"$T_WORK/wanted"
nm -D --undefined-only "$T_BIN/libsymbols.so" | awk '{ sub("@.*", "", $2); print $2 }' | sort >"$T_WORK/imported"
missing=$(comm -23 "$T_WORK/wanted" "$T_WORK/imported" | tr '\n' ' ')
[ -z "$missing" ] || t_fail "never called: $missing"
T_KEYS+=,copy_min=16
t_run bare "$T_BIN/symbols_called"
t_run shim "$T_BIN/symbols_called"
# "interposed" is 0 bare and 1 for every symbol with the shim.
grep -q 'interposed 0' "$T_WORK/bare.out" || t_fail "nothing was looked at"
if grep 'interposed 0' "$T_WORK/shim.out"; then t_fail "$(grep -m1 'interposed 0' "$T_WORK/shim.out") with the shim"; fi
sed -i '/interposed/d' "$T_WORK/bare.out" "$T_WORK/shim.out"
t_same out err status
[ "$(cat "$T_WORK/shim.status")" = 0 ] || t_fail "exit status $(cat "$T_WORK/shim.status")"
symbols=$(wc -l <"$T_WORK/wanted")
for stage in constructor main destructor; do
	[ "$(grep -c "^$stage .* right" "$T_WORK/shim.out")" = "$symbols" ] ||
		t_fail "$stage: $(grep "^$stage " "$T_WORK/shim.out" | grep -v right | head -1)"
done
# The constructor did run first, else this tests nothing: the shim's own first
# read of the environment shows as its look at the path.
T_TRACE='write,readlink,readlinkat,newfstatat,lstat,statx'
t_run shim "$T_BIN/symbols_called"
awk '/constructor first/ { c = NR } /files"|\/dev\/shm"|mountinfo/ && !s { s = NR }
	END { exit !(c && s && c < s) }' "$T_WORK/shim.strace" ||
	t_fail "the library's constructor did not run before the shim's"
# In main each of the copying functions was the shim's: all but the 20 of mappings and files.
[ "$(t_count "$(t_counter copies)")" -ge $((symbols - 20)) ] ||
	t_fail "only $(t_count "$(t_counter copies)") copies were the shim's"
