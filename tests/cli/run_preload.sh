#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run keeps what LD_PRELOAD names, before its own library, and puts AddressSanitizer's runtime first.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
t_cc dynamic program.c
echo 'int nothing_of_ours;' >other.c
"$CC" -shared -fPIC -o other.so other.c || t_fail "no other.so"
LD_PRELOAD=$T_WORK/other.so t_cli 0 run env
t_says out "LD_PRELOAD=$T_WORK/other.so:$T_SO"
LD_PRELOAD='' t_cli 0 run env
t_says out "LD_PRELOAD=$T_SO"

# Both are really there.
LD_PRELOAD=$T_WORK/other.so t_cli 0 run cat /proc/self/maps
t_says out "$T_WORK/other.so"
t_says out "$T_SO"

"$CC" -fsanitize=address -o asan "$T_ROOT/tests/cli/program.c" 2>/dev/null ||
	t_skip "no AddressSanitizer"
ldd ./asan | grep -q libasan || t_skip "no shared libasan"
export ASAN_OPTIONS=detect_leaks=0
t_cli 0 run -p "$T_DATA,assume_pmem=yes,refresh=0" -l error ./asan "$T_DATA/file"
t_says out 'done'
t_not_says err 'runtime does not come first'
t_cli 0 check ./asan
t_says out 'note: built with AddressSanitizer, whose runtime must be preloaded first'
