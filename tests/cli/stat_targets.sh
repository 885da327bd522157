#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# stat: a file with those named after it, a directory, a pattern, a process; added up by program, or apart.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
t_cc stat_program stat_program.c
cp "$T_BIN/stat_program" other
mkdir stats
program() { # STATS COMMAND...
	local stats=$1
	shift
	PMEMSHIM_STATS=$stats PMEMSHIM_LOG=error LD_PRELOAD=$T_SO \
		PMEMSHIM_PATHS="$T_DATA,assume_pmem=yes,refresh=0,verify=no" "$@" || t_fail "$*: $?"
}
# persisted WHAT N: the calls of that group, the first being the kernel's.
persisted() {
	grep -q "^ *$1  msync persisted from user space$" out || { cat out; t_fail "no $1 calls"; }
}
headings() { grep -c '^libpmemshim: ' out; }
program stats "$T_BIN/stat_program" "$T_DATA/a" 11
t_cli 0 stat stats
[ "$(headings)" = 1 ] || t_fail "$(headings) headings"
grep -qE '^libpmemshim: process [0-9]+ \(stat_program\): ended$' out || t_fail "$(head -n 1 out)"
grep -qx "rule $T_DATA" out || t_fail 'no rule'
persisted 10
grep -qE '^  user +11 +88 KiB( +[0-9.]+ (ns|us|ms)){6} +- +9\.1%$' out || t_fail "$(cat out)"
program stats "$T_BIN/stat_program" "$T_DATA/b" 21
program stats ./other "$T_DATA/b" 6
t_cli 0 stat stats
[ "$(headings)" = 2 ] || t_fail "merged: $(headings) headings"
t_says out 'libpmemshim: 2 processes (stat_program): 2 ended'
persisted 30
persisted 5
grep -qE '^  user +32 +256 KiB ' out || t_fail "$(cat out)"
t_cli 0 stat --apart stats
[ "$(headings)" = 3 ] || t_fail "apart: $(headings) headings"
persisted 10
persisted 20
# Files of other kinds in a directory are nobody's concern.
echo 'notes' >stats/notes
t_cli 0 stat stats/
[ ! -s err ] || t_fail "$(cat err)"
# A name that was taken, and what was named after it. Others are not meant.
program s.file "$T_BIN/stat_program" "$T_DATA/a" 3
program s.file "$T_BIN/stat_program" "$T_DATA/a" 4
program s.file2 "$T_BIN/stat_program" "$T_DATA/a" 8
cp s.file2 s.file.backup
t_cli 0 stat s.file
t_says out '2 processes'
persisted 5
t_cli 0 stat ./s.file2
persisted 7
t_cli 0 stat "$T_WORK/s.file"
persisted 5
# As it stands in PMEMSHIM_STATS.
program p%p.x "$T_BIN/stat_program" "$T_DATA/a" 3
program p%p.x "$T_BIN/stat_program" "$T_DATA/a" 4
t_cli 0 stat p%p.x
persisted 5
t_cli 0 stat p%p.x s.file2
persisted 12
# A process, wherever its file is, also when that was removed and we are root.
mkfifo pipe
program hidden "$T_BIN/stat_program" "$T_DATA/a" 3 pause <pipe >ready &
exec 9>pipe
until [ -s ready ]; do sleep 0.05; done
pid=$(pgrep -P $! || echo $!)
t_cli 0 stat "$pid"
t_says out "process $pid (stat_program): running"
persisted 2
printf xxx >&9
for _ in $(seq 100); do
	"$T_CLI" stat "$pid" | grep -q ' 5  msync persisted' && break
	sleep 0.05
done
t_cli 0 stat "$pid"
persisted 5
if [ "$(id -u)" = 0 ]; then
	rm hidden
	t_cli 0 stat "$pid"
	persisted 5
fi
# The shell that waits keeps none.
t_cli 1 stat $$
t_says err "it keeps no statistics"
t_one_line
exec 9>&-
wait
t_cli 1 stat "$pid"
t_one_line
t_says err "$pid: no such file or process"
