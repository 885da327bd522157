#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# stat tells a process that runs from one that ended, was killed, or became another program.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
t_cc stat_program stat_program.c
export PMEMSHIM_STATS=$T_WORK/stats.%p PMEMSHIM_LOG=error
export PMEMSHIM_PATHS="$T_DATA,assume_pmem=yes,refresh=0,verify=no"
state() { # PID WORDS
	t_cli 0 stat "stats.$1"
	grep -qxF "libpmemshim: process $1 (stat_program): $2" out || t_fail "$(head -n 1 out) is not $2"
}
# start ARGUMENT...: in the background; its process in $pid.
start() {
	LD_PRELOAD=$T_SO "$T_BIN/stat_program" "$@" <pipe >ready &
	pid=$!
}
mkfifo pipe
start "$T_DATA/a" 10 pause
exec 9>pipe
until [ -s ready ]; do sleep 0.05; done
state "$pid" running
t_cli 0 stat --json "stats.$pid"
t_json 'j["programs"][0]["processes"][0]["state"] == "running"'
exec 9>&-
wait "$pid"
state "$pid" ended
: >ready
start "$T_DATA/a" 10 pause
exec 9>pipe
until [ -s ready ]; do sleep 0.05; done
kill -KILL "$pid"
wait "$pid" 2>/dev/null
state "$pid" 'killed or left by _exit'
grep -qE '^  user +10 ' out || t_fail 'the calls are not there'
exec 9>&-
start "$T_DATA/a" 10 exec <>pipe
until [ "$(cat "/proc/$pid/comm")" = sleep ]; do sleep 0.05; done
state "$pid" 'replaced by exec'
kill "$pid"
wait
