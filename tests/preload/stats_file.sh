#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The statistics file is made with mode 0600, appended to, and never reached through a symbolic link.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc config_program config_program.c
mkdir -p "$T_FILES"
program() { # STATS -> status in $?
	PMEMSHIM_PATHS=$(t_rule) PMEMSHIM_STATS=$1 LD_PRELOAD=$T_SO \
		"$T_BIN/config_program" >"$T_WORK/out" 2>"$T_WORK/err"
	[ $? = 42 ] || t_fail "$1: the exit status changed"
	sed -i '/NOTHING IS DURABLE/d' "$T_WORK/err"
}
blocks() { grep -c '^libpmemshim: process [0-9]* (config_program)$' "$1"; }
umask 0
program "$T_WORK/plain"
[ "$(stat -c %a "$T_WORK/plain")" = 600 ] || t_fail "mode $(stat -c %a "$T_WORK/plain")"
program "$T_WORK/plain"
[ "$(blocks "$T_WORK/plain")" = 2 ] || t_fail "not appended"
[ ! -s "$T_WORK/err" ] || t_fail "$(cat "$T_WORK/err")"
echo precious >"$T_WORK/target"
ln -s target "$T_WORK/link"
program "$T_WORK/link"
[ "$(cat "$T_WORK/target")" = precious ] || t_fail "a link was followed"
[ "$(wc -l <"$T_WORK/err")" = 1 ] || t_fail "no one line: $(cat "$T_WORK/err")"
ln -s nowhere "$T_WORK/dangling"
program "$T_WORK/dangling"
[ ! -e "$T_WORK/nowhere" ] || t_fail "a dangling link was followed"
mkdir "$T_WORK/dir"
ln -s dir "$T_WORK/dirlink"
program "$T_WORK/dirlink"
[ -z "$(ls "$T_WORK/dir")" ] || t_fail "a link to a directory was followed"
program "$T_WORK/dir"
[ "$(find "$T_WORK/dir" -name 'pmemshim.*' -perm 600 | wc -l)" = 1 ] || t_fail "directory: $(ls -l "$T_WORK/dir")"
program "$T_WORK/p.%p.%p"
name=$(cd "$T_WORK" && ls -d p.*)
[[ $name =~ ^p\.([0-9]+)\.([0-9]+)$ && ${BASH_REMATCH[1]} = "${BASH_REMATCH[2]}" ]] || t_fail "%p became $name"
grep -q "process ${BASH_REMATCH[1]} " "$T_WORK/$name" || t_fail "%p is not the process"
for bad in /dev/full "$T_WORK/none/x"; do
	program "$bad"
	[ "$(wc -l <"$T_WORK/err")" = 1 ] || t_fail "$bad: no one line: $(cat "$T_WORK/err")"
done
# Relative names are those of the start, wherever the program goes.
cd "$T_WORK" || exit
program relative
[ -s relative ] || t_fail "a relative name"
# A pipe that nobody reads must not hold the program up.
mkfifo "$T_WORK/fifo"
program "$T_WORK/fifo"
