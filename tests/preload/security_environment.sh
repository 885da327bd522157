#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Nothing of the environment is taken for a format, overruns a buffer, or reaches the terminal as a control character.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc config_program config_program.c
mkdir -p "$T_FILES"
# A name too long to be shown, and one that printf would obey.
formats='%s%s%s%n%n%p%1000000d%*s'
cp "$T_BIN/config_program" "$T_WORK/$formats"
many() { yes "$1" | head -n 30000 | tr -d '\n'; }	# 30,000 of them
long=$(many xx)
hostile=("$formats" "/$formats" "$long" "/$long" "$(many ';')" "$(many ',')" "$(many \\)" "$(many %n)"
	"/,$formats=1" "/,mode=$formats" $'\e]0;title\a\r\n' $'/\e[2J,mode=\e[2J')
run() { # VARIABLE=VALUE...
	local label=$*
	label=${label:0:60}
	env "$@" LD_PRELOAD="$T_SO" "$T_WORK/$formats" >"$T_WORK/out" 2>"$T_WORK/err"
	[ $? = 42 ] || t_fail "$label: the program failed: $(head -c 300 "$T_WORK/err")"
	[ "$(cat "$T_WORK/out")" = fine ] || t_fail "$label: the output changed"
	sed -i '/NOTHING IS DURABLE/d' "$T_WORK/err"
	# One line of at most 1,014 bytes for each complaint, and none that was not made.
	[ "$(wc -l <"$T_WORK/err")" -le 3 ] || t_fail "$label: $(wc -l <"$T_WORK/err") lines"
	if grep -qv '^libpmemshim: ' "$T_WORK/err"; then t_fail "$label: $(grep -v '^libpmemshim: ' "$T_WORK/err" | head -c 300)"; fi
	[ "$(wc -L <"$T_WORK/err")" -le 1013 ] || t_fail "$label: a line of $(wc -L <"$T_WORK/err")"
	if LC_ALL=C grep -q '[^[:print:]]' "$T_WORK/err"; then t_fail "$label: a control character"; fi
}
said() { grep -qF -- "$1" "$T_WORK/err" || t_fail "it did not say '$1': $(head -c 300 "$T_WORK/err")"; }
for variable in PMEMSHIM_PATHS PMEMSHIM_DEFAULTS PMEMSHIM_STATS PMEMSHIM_LOG PMEMSHIM_DEEPBIND PMEMSHIM_NOSUCH; do
	for value in "${hostile[@]}"; do
		[ "$variable" = PMEMSHIM_STATS ] && [ "${value:0:1}" != / ] && continue
		run "$variable=$value" PMEMSHIM_TEST_ALSO=1
	done
done
run PMEMSHIM_DEEPBIND="$formats"
said "'%s%s%s%n%n%p%1000000d%*s'"
run PMEMSHIM_PATHS=$'/,mode=\e[2J'
said '\x1b[2J'
run "PMEMSHIM_NOSUCH$formats=1"
said 'PMEMSHIM_NOSUCH%s%s%s%n%n%p'
# The names of files, of rules and of the program in statistics and messages.
mkdir "$T_FILES/$formats"
T_FILES+=/$formats
run "PMEMSHIM_PATHS=$T_FILES,refresh=0" PMEMSHIM_LOG=info
t_real || said "$T_FILES: device"
run "PMEMSHIM_PATHS=$T_FILES,assume_pmem=yes,refresh=0" "PMEMSHIM_STATS=$T_WORK/%n%s%%stats"
"$T_PMEMSHIM" stat "$T_WORK/%n%s%%stats" >"$T_WORK/stats.out" || t_fail "the statistics cannot be read"
grep -qF "rule $T_FILES" "$T_WORK/stats.out" || t_fail "the rule is not in the statistics: $(cat "$T_WORK/stats.out")"
grep -qF "/$formats" <(head -n 3 "$T_WORK/stats.out") || t_fail "the program is not: $(cat "$T_WORK/stats.out")"
