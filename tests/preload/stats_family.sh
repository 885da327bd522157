#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A process that forks, executes another program or leaves by _exit has statistics of its own.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc stats_calls stats_calls.c
processes() { grep -c '^libpmemshim: process' "$T_WORK/shim.stats"; }
calls() { awk '/^libpmemshim/ { n++ } /^ +user / { gsub(",", ""); printf "%s ", $2 }' "$T_WORK/shim.stats"; }
t_judge stats_calls exit 10 -- first=1 persisted=9 commit=any
{ [ "$(processes)" = 1 ] && grep -q ': ended$' "$T_WORK/shim.stats"; } || t_fail "exit: $(cat "$T_WORK/shim.stats")"
# It says nothing, so only what it did is looked at.
t_run shim "$T_BIN/stats_calls" _exit 10
t_account
t_expect first=1 persisted=9 commit=any
{ [ "$(processes)" = 1 ] && grep -q ': killed or left by _exit$' "$T_WORK/shim.stats"; } || t_fail "_exit: $(cat "$T_WORK/shim.stats")"
t_judge stats_calls fork 10 -- first=1 persisted=29 commit=any
[ "$(processes)" = 2 ] || t_fail "fork: $(processes) processes"
[ "$(calls)" = '10 20 ' ] || t_fail "fork: calls $(calls)"
# The same process id, one file for each program.
t_judge stats_calls exec 10 -- first=2 persisted=18 commit=any
{ [ "$(processes)" = 2 ] && [ "$(calls)" = '10 10 ' ]; } || t_fail "exec: $(cat "$T_WORK/shim.stats")"
pids=$(sed -n 's/^libpmemshim: process \([0-9]*\) .*/\1/p' "$T_WORK/shim.stats" | sort -u | wc -l)
[ "$pids" = 1 ] || t_fail 'exec: the process id changed'
[ "$(find "$T_WORK/stats" -name 'pmemshim.*.2' | wc -l)" = 1 ] || t_fail "exec: $(ls "$T_WORK/stats")"
