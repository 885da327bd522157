#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The statistics file is made with mode 0600, never written over another one, and never reached through a symbolic link.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc config_program config_program.c
mkdir -p "$T_FILES"
program() { # STATS -> status in $?
	PMEMSHIM_PATHS=$(t_rule) PMEMSHIM_STATS=$1 LD_PRELOAD=$T_SO \
		"$T_BIN/config_program" >"$T_WORK/out" 2>"$T_WORK/err"
	[ $? = 42 ] || t_fail "$1: the exit status changed"
	sed -i '/NOTHING IS DURABLE/d' "$T_WORK/err"
}
blocks() { "$T_PMEMSHIM" stat --apart "$@" | grep -c '^libpmemshim: process [0-9]* (config_program): ended$'; }
umask 0
program "$T_WORK/plain"
[ "$(stat -c %a "$T_WORK/plain")" = 600 ] || t_fail "mode $(stat -c %a "$T_WORK/plain")"
before=$(sha256sum <"$T_WORK/plain")
program "$T_WORK/plain"
[ "$(sha256sum <"$T_WORK/plain")" = "$before" ] || t_fail 'written over'
# Another name for the second one, and both are found by the first name.
[ "$(find "$T_WORK" -regex '.*/plain\.[0-9]+' -perm 600 | wc -l)" = 1 ] || t_fail "$(ls "$T_WORK")"
[ "$(blocks "$T_WORK/plain")" = 2 ] || t_fail "$(blocks "$T_WORK/plain") processes"
[ ! -s "$T_WORK/err" ] || t_fail "$(cat "$T_WORK/err")"
echo precious >"$T_WORK/other"
program "$T_WORK/other"
[ "$(cat "$T_WORK/other")" = precious ] || t_fail 'a file of another kind was written over'
echo precious >"$T_WORK/target"
ln -s target "$T_WORK/link"
ln -s nowhere "$T_WORK/dangling"
mkdir "$T_WORK/dir"
ln -s dir "$T_WORK/dirlink"
# A pipe that nobody reads must not hold the program up.
mkfifo "$T_WORK/fifo"
for bad in link dangling dirlink fifo; do
	program "$T_WORK/$bad"
	[ "$(wc -l <"$T_WORK/err")" = 1 ] || t_fail "$bad: no one line: $(cat "$T_WORK/err")"
	[ "$(find "$T_WORK" -name "$bad*" | wc -l)" = 1 ] || t_fail "$bad: $(ls "$T_WORK")"
done
[ "$(cat "$T_WORK/target")" = precious ] || t_fail 'a link was followed'
[ ! -e "$T_WORK/nowhere" ] || t_fail 'a dangling link was followed'
[ -z "$(ls "$T_WORK/dir")" ] || t_fail 'a link to a directory was followed'
program "$T_WORK/dir"
program "$T_WORK/dir"
[ "$(find "$T_WORK/dir" -name 'pmemshim.*' -perm 600 | wc -l)" = 2 ] || t_fail "directory: $(ls -l "$T_WORK/dir")"
program "$T_WORK/p.%p.%p"
name=$(cd "$T_WORK" && ls -d p.*)
[[ $name =~ ^p\.([0-9]+)\.([0-9]+)$ && ${BASH_REMATCH[1]} = "${BASH_REMATCH[2]}" ]] || t_fail "%p became $name"
"$T_PMEMSHIM" stat "$T_WORK/p.%p.%p" | grep -q "process ${BASH_REMATCH[1]} " || t_fail '%p is not the process'
for bad in /dev/full "$T_WORK/none/x"; do
	program "$bad"
	[ "$(wc -l <"$T_WORK/err")" = 1 ] || t_fail "$bad: no one line: $(cat "$T_WORK/err")"
done
# Relative names are those of the start, wherever the program goes.
cd "$T_WORK" || exit
program relative
[ "$(blocks relative)" = 1 ] || t_fail 'a relative name'
