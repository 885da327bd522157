#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run exits as the program does, dies of the same signal, and as env(1) when there is no program.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
t_cc dynamic program.c
for status in 0 1 7 125 255; do
	t_cli $status run "$T_BIN/dynamic" "$T_DATA/file" $status
done
# exec: the same process, so a signal is the program's own.
# shellcheck disable=SC2016
t_cli 143 run sh -c 'kill -TERM $$'
"$T_CLI" run sleep 60 &
pid=$!
for _ in $(seq 100); do
	[ "$(cat /proc/$pid/comm)" != sleep ] || break
	sleep 0.05
done
[ "$(cat /proc/$pid/comm)" = sleep ] || t_fail "another process stays in between"
kill $pid

t_cli 127 run no-such-program
t_says err 'pmemshim: no-such-program: No such file or directory'
t_one_line
t_cli 127 run ./no/such/program
t_one_line
t_cli 127 run ''
t_one_line
echo 'exit 3' >plain
t_cli 126 run ./plain
t_says err 'pmemshim: ./plain: Permission denied'
t_one_line
mkdir directory
t_cli 126 run ./directory
t_one_line
printf '\177ELFgarbage' >garbage
chmod +x garbage plain
t_cli 126 run -q ./garbage
t_says err 'pmemshim: ./garbage: '
# execvp(3) takes what is neither ELF nor script for a shell's.
t_cli 3 run -q ./plain
