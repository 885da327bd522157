#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# stat --watch shows them again until the process is gone; it repaints on a terminal only.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
t_need script bsdutils
t_cc stat_program stat_program.c
mkfifo pipe
PMEMSHIM_STATS=stats PMEMSHIM_LOG=error LD_PRELOAD=$T_SO \
	PMEMSHIM_PATHS="$T_DATA,assume_pmem=yes,refresh=0,verify=no" "$T_BIN/stat_program" "$T_DATA/a" 3 pause <pipe >ready &
pid=$!
exec 9>pipe
until [ -s ready ]; do sleep 0.05; done
"$T_CLI" stat --watch=0.1 "$pid" >seen 2>err 9>&- &
watcher=$!
# shown N TEXT: at least so often.
shown() {
	for _ in $(seq 100); do
		[ "$(grep -c "$2" seen)" -ge "$1" ] && return
		sleep 0.1
	done
	t_fail "'$2' was not shown $1 times"
}
shown 3 ' 2  msync persisted'
printf xxxx >&9
shown 1 ' 6  msync persisted'
TERM=xterm script -qec "timeout 1 $T_CLI stat --watch=0.2 $pid" typescript >/dev/null 9>&-
[ "$(grep -c $'\033\[H\033\[J' typescript)" -ge 2 ] || t_fail 'the terminal was not repainted'
exec 9>&-
for _ in $(seq 100); do kill -0 $watcher 2>/dev/null || break; sleep 0.1; done
wait $watcher || t_fail "the watcher left with $?: $(cat err)"
tail -n 20 seen | grep -q "process $pid (stat_program): ended" || t_fail 'the end was not shown'
grep -q $'\033' seen && t_fail 'escape sequences in a file'
[ ! -s err ] || t_fail "$(cat err)"
