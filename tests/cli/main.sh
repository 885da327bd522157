#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every subcommand has --help, --usage, --version and a man page; a wrong command line is one line.
. "$T_ROOT/tests/support/t_cli.sh"
version=$(sed -n 's/^VERSION := //p' "$T_ROOT/Makefile")
t_cli 0 --help
t_says out 'Usage: pmemshim [OPTION...] COMMAND'
mapfile -t commands < <(sed -n 's/^COMMAND(\([a-z]*\), .*/\1/p' "$T_ROOT/cli/commands.def")
[ ${#commands[@]} = 5 ] || t_fail "${#commands[@]} commands"
for command in "${commands[@]}"; do
	t_cli 0 --help
	grep -q "^  $command  *[a-z]" "$T_WORK/out" || t_fail "--help does not name $command"
	t_cli 0 "$command" --help
	t_says out "Usage: pmemshim $command "
	t_says out '--version'
	[ ! -s "$T_WORK/err" ] || t_fail "$command --help: $(cat "$T_WORK/err")"
	awk 'length > 80 { exit 1 }' "$T_WORK/out" || t_fail "$command --help is wider than 80"
	t_cli 0 "$command" --usage
	t_cli 0 "$command" --version
	[ "$(cat "$T_WORK/out")" = "pmemshim $version" ] || t_fail "--version of $command"
	"$T_CLI" "$command" --nonsense >"$T_WORK/out" 2>"$T_WORK/err" && t_fail "$command --nonsense"
	t_says err "pmemshim $command: unrecognized option '--nonsense'"
	t_one_line
	page=$T_ROOT/man/pmemshim-$command.1
	[ -f "$page" ] || t_fail "no $page"
	# Each long option of --help is in the man page.
	t_cli 0 "$command" --help
	while read -r option; do
		case $option in --help | --usage | --version) continue ;; esac
		grep -qF -- "${option//-/\\-}" "$page" || t_fail "$page does not name $option"
	done < <(grep -oE '^ +(-[a-zA-Z?], )?--[a-z-]+' "$T_WORK/out" | grep -oE -- '--[a-z-]+')
done
t_cli 0 --version
[ "$(cat "$T_WORK/out")" = "pmemshim $version" ] || t_fail "--version"
t_cli 2
t_one_line
t_cli 2 nonsense
t_says err 'pmemshim: nonsense: no such command; see pmemshim --help'
t_one_line
t_cli 2 --nonsense
t_one_line
t_cli 2 $'two\nlines'
t_one_line
# Without a terminal, no colour; with one, unless NO_COLOR is set.
t_cli 0 check sh
if grep -q $'\033' "$T_WORK/out"; then t_fail "colours in a file"; fi
t_need script bsdutils
script -qec "$T_CLI check sh" /dev/null >"$T_WORK/out" </dev/null
grep -q $'\033\[32myes' "$T_WORK/out" || t_fail "no colours on a terminal"
NO_COLOR=1 script -qec "$T_CLI check sh" /dev/null >"$T_WORK/out" </dev/null
if grep -q $'\033' "$T_WORK/out"; then t_fail "colours in spite of NO_COLOR"; fi
