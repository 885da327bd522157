#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The library exports the names of both symbols.def and nothing else, and needs libc only.
. "$T_ROOT/tests/support/t_preload.sh"
sed -n 's/^SYMBOL([^,]*, \([a-z0-9_]*\),.*/\1/p' "$T_ROOT/shim/symbols.def" "$T_ROOT/shim/arch/$(uname -m)"/symbols.def | sort >"$T_WORK/wanted"
nm -D --defined-only "$T_SO" | awk '{ print $3 }' | sort >"$T_WORK/exported"
[ "$(wc -l <"$T_WORK/wanted")" -ge 30 ] || t_fail "symbols.def was not read"
diff "$T_WORK/wanted" "$T_WORK/exported" || t_fail "exported names differ from symbols.def"
needed=$(readelf -d "$T_SO" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | tr '\n' ' ')
[ "$needed" = "libc.so.6 " ] || t_fail "NEEDED is $needed"
if readelf -d "$T_SO" | grep -q TEXTREL; then t_fail "text relocations"; fi
readelf -d "$T_SO" | grep -q BIND_NOW || t_fail "not bound at start: a first call could need the loader's lock"
