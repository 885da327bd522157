#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Without tracked mappings the system calls are those of the bare run from main on, forks and exit included.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc start_only start_only.c
T_TRACE=all
# One process after the other, from the marker on, without addresses and numbers.
calls() {
	awk '/"main/ { on = 1 } !on { next } /resumed>/ { next }
		!($1 in seen) { seen[$1] = ++n }
		{ pid = $1; $1 = ""; sub(/ <unfinished.*/, ""); print seen[pid] " " $0 }' \
		"$T_WORK/$1.strace" | sort -s -n -k 1,1 |
		sed -E 's/ +=.*//; s/0x[0-9a-f]{6,}/ADDR/g; s/getrandom.*/RANDOM/; s/clone.*/CLONE/; s/wait4.*/WAIT/; s/\)$//; s/--- SIGCHLD.*/SIGCHLD/' \
		>"$T_WORK/$1.calls"
	[ "$(wc -l <"$T_WORK/$1.calls")" -ge "$2" ] || t_fail "$1: nothing was traced"
}
for what in plain fork; do
	# Statistics make calls of their own at start and fork; here they are off.
	t_run bare "$T_BIN/start_only" $what
	calls bare 8
	rm -rf "$T_FILES" "$T_OUTSIDE"
	mkdir -p "$T_FILES" "$T_OUTSIDE"
	strace -f -qq -e signal=none -e trace=all -o "$T_WORK/shim.strace" -E "PMEMSHIM_PATHS=$(t_rule)" \
		-E LD_PRELOAD="$T_SO" "$T_BIN/start_only" $what >/dev/null 2>&1
	calls shim 8
	t_same calls
done
