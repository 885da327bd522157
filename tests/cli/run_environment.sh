#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run turns its options into the variables that the shim reads, and leaves the others as they are.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
unset PMEMSHIM_DEFAULTS
got() { # VARIABLE VALUE: what env, run last, had
	grep -qxF "$1=$2" out || {
		cat out
		t_fail "$1 is not $2"
	}
}
has_not() {
	if grep -q "^$1=" out; then t_fail "$1 is set"; fi
}
t_cli 0 run env
got LD_PRELOAD "$T_SO"
for name in PATHS DEFAULTS STATS LOG; do has_not PMEMSHIM_$name; done
[ ! -s err ] || t_fail "it spoke: $(cat err)"

t_cli 0 run -p '/a,mode=off;/b' -m kernel -s here -l error -- env
got PMEMSHIM_PATHS '/a,mode=off;/b'
got PMEMSHIM_DEFAULTS mode=kernel
got PMEMSHIM_STATS "$PWD/here"
got PMEMSHIM_LOG error
rm -rf here
t_cli 0 run --paths=/a --mode=ab --stats="$T_WORK/s.%p" --log=info env
got PMEMSHIM_PATHS /a
got PMEMSHIM_DEFAULTS mode=ab
got PMEMSHIM_STATS "$T_WORK/s.%p"

# What no option says, the environment does; mode replaces mode and no other key.
export PMEMSHIM_PATHS=/x PMEMSHIM_DEFAULTS=refresh=0,mode=off,verify=no PMEMSHIM_LOG=error
t_cli 0 run env
got PMEMSHIM_PATHS /x
got PMEMSHIM_DEFAULTS refresh=0,mode=off,verify=no
t_cli 0 run -m flush env
got PMEMSHIM_DEFAULTS mode=flush,refresh=0,verify=no
unset PMEMSHIM_PATHS PMEMSHIM_DEFAULTS PMEMSHIM_LOG

# What the shim would not take is refused before the program starts.
t_cli 125 run -m fast -- touch started
t_says err "pmemshim run: --mode=fast: expected flush|kernel|"
t_one_line
t_cli 125 run -l loud -- touch started
t_says err "pmemshim run: --log=loud: expected error|warn|info|trace"
t_one_line
t_cli 125 run
t_one_line
t_cli 125 run --nonsense env
t_one_line
[ ! -e started ] || t_fail "the program was started"
# Options behind the program are the program's.
t_cli 0 run echo -m fast --help
t_says out '-m fast --help'
