#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check judges a script by its interpreter, also behind env, and sees where LD_PRELOAD is taken away.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
t_cc dynamic program.c
t_cc static program.c -static
mkdir bin
cp "$T_BIN/static" bin/static
cp "$T_BIN/dynamic" bin/dynamic
PATH=$T_WORK/bin:$PATH

script() { # NAME FIRST-LINE
	printf '%s\necho hello\n' "$2" >"$1"
	chmod +x "$1"
}
script shell '#!/bin/sh'
t_cli 0 check ./shell
t_says out './shell: yes: '
t_says out 'note: a script: '
script spaces '#!   /bin/sh   -e  '
t_cli 0 check ./spaces
script static "#!$T_WORK/bin/static"
t_cli 2 check ./static
t_says out "no: its interpreter $T_WORK/bin/static: a static program"
script dynamic "#!$T_WORK/bin/dynamic -x"
t_cli 0 check ./dynamic
t_says out 'msync is called by dynamic'
for line in '#!/usr/bin/env dynamic' '#!/usr/bin/env -S dynamic -u x' \
	'#!/usr/bin/env -S -u HOME A=b dynamic' '#! /usr/bin/env -Sdynamic x'; do
	script env "$line"
	t_cli 0 check ./env
	t_says out 'msync is called by dynamic'
done
script env '#!/usr/bin/env static'
t_cli 2 check ./env
t_says out 'no: its interpreter static: a static program'
for line in '#!/usr/bin/env -S -i dynamic' '#!/usr/bin/env -S LD_PRELOAD= dynamic'; do
	script env "$line"
	t_cli 2 check ./env
	t_says out 'its first line takes LD_PRELOAD away'
done
script env '#!/usr/bin/env'
t_cli 2 check ./env
t_says out 'names no interpreter'
script none '#!'
t_cli 2 check ./none
t_says out 'names no interpreter'
script missing '#!/no/such/interpreter'
t_cli 3 check ./missing
t_says err '/no/such/interpreter'

# A script of a script of a ... ends, also when it bites its own tail.
script chain "#!$T_WORK/shell"
t_cli 0 check ./chain
script loop "#!$T_WORK/loop"
t_cli 2 check ./loop
t_says out 'too many interpreters'

# Set-user-ID means nothing on a script.
chmod u+s shell
t_cli 0 check ./shell
