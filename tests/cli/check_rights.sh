#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check says no to set-user-ID and set-group-ID programs and to those with file capabilities.
. "$T_ROOT/tests/support/t_cli.sh"
t_cc dynamic program.c
[[ $(findmnt -no OPTIONS -T "$T_WORK" 2>/dev/null) != *nosuid* ]] || t_skip "nosuid"
cd "$T_WORK" || exit 1
for mode in 0755 0644 2745 1755; do
	install -m 755 "$T_BIN/dynamic" program
	chmod "$mode" program
	t_cli 0 check ./program
done
chmod 4755 program
t_cli 2 check ./program
t_says out "no: set-user-ID $(id -un)"
t_says out ' msync@'
chmod 2755 program
t_cli 2 check ./program
t_says out 'no: set-group-ID'
chmod 755 program
t_need python3 python3
python3 -c 'import os, struct
os.setxattr("program", "security.capability", struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0))' 2>/dev/null ||
	t_skip "file capabilities cannot be set here"
t_cli 2 check ./program
t_says out 'no: it has file capabilities'
