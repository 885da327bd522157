#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run says in one line when preloading will not reach the program, and runs it all the same.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
t_cc dynamic program.c
t_cc static program.c -static
t_cli 5 run "$T_BIN/static" "$T_DATA/file" 5
t_says out 'done'
t_says err "pmemshim: warning: $T_BIN/static: preloading will not reach it: a static program"
t_one_line
t_cli 5 run --quiet "$T_BIN/static" "$T_DATA/file" 5
[ ! -s err ] || t_fail "--quiet is not: $(cat err)"
t_cli 0 run "$T_BIN/dynamic"
[ ! -s err ] || t_fail "it warns without need: $(cat err)"
# Through PATH and behind a script.
cp "$T_BIN/static" here
printf '#!%s\n' "$T_WORK/here" >script
chmod +x script
PATH=$T_WORK:$PATH t_cli 0 run here
t_says err 'preloading will not reach it: a static program'
t_cli 0 run ./script
t_says err "preloading will not reach it: its interpreter $T_WORK/here: a static program"
t_one_line
