#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A batch run under gdb, with a breakpoint and a look at mapped memory, works as without the shim.
. "$T_ROOT/tests/support/t_preload.sh"
t_need gdb gdb
t_cc with_host with_host.c
T_TRACE=''
# gdb itself and its shell run without the shim.
debug() { # WHO ENVIRONMENT...
	local who=$1
	shift
	rm -rf "$T_FILES" && mkdir -p "$T_FILES" "$T_WORK/stats"
	local set=()
	for pair in "$@"; do set+=(-ex "set environment ${pair%%=*} ${pair#*=}"); done
	gdb -q -nx -batch -iex 'set debuginfod enabled off' -iex 'set print thread-events off' -ex 'set startup-with-shell off' "${set[@]}" \
		-ex 'break work' -ex run -ex 'print *(char *)p' -ex 'print memset((char *)p + 8, 5, 100) == (char *)p + 8' \
		-ex continue "$T_BIN/with_host" >"$T_WORK/$who.all" 2>&1 </dev/null
	grep -v '^\[Thread\|^\[New' "$T_WORK/$who.all" | grep -E '^\$|errno|exited|signal' |
		sed -E 's/process [0-9]+/process/' >"$T_WORK/$who.out"
}
debug bare
grep -q 'exited with code 07' "$T_WORK/bare.out" || t_skip "gdb cannot run programs here: $(tail -n1 "$T_WORK/bare.all")"
debug shim "LD_PRELOAD=$T_SO" "PMEMSHIM_PATHS=$(t_rule)" "PMEMSHIM_STATS=$T_WORK/stats"
t_same out
t_stats >"$T_WORK/shim.stats"
[ "$(t_count 'msync persisted')" -ge 2 ] || t_fail "the shim did nothing"
