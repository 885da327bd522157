#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# map_sync=require refuses a mapping with the kernel's error, and only those under its rule.
. "$T_ROOT/tests/support/t_preload.sh"
t_only_tmpfs "MAP_SYNC is granted there"
t_cc map_require map_require.c
T_TRACE=''
T_KEYS=assume_pmem=no,map_sync=require
# The rule's own assume_pmem=yes would be given twice.
t_rule() { echo "$T_FILES,map_sync=require"; }
t_run shim "$T_BIN/map_require"
t_run bare "$T_BIN/map_require"
[ -s "$T_WORK/shim.err" ] && t_fail "$(cat "$T_WORK/shim.err")"
cat >"$T_WORK/wanted" <<'END'
fresh = -1 errno 95
over = -1 errno 95
r[0] = 114 errno 77
private = 0 errno 77
outside = 0 errno 77
END
diff "$T_WORK/wanted" "$T_WORK/shim.out" || t_fail "$(diff "$T_WORK/wanted" "$T_WORK/shim.out" | tail -1)"
grep -q 'fresh = 0' "$T_WORK/bare.out" || t_fail "the bare run is no comparison"
