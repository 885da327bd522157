#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Whatever the umask, the statistics are nobody else's to read or write, lie where they were said to and nowhere else; the log goes to the first stderr only.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc config_program config_program.c
t_cc security_files security_files.c
mkdir -p "$T_FILES" "$T_OUTSIDE" "$T_WORK/cwd" "$T_WORK/dir" "$T_WORK/other"
run() { # STATS
	(cd "$T_WORK/cwd" && PMEMSHIM_PATHS=$(t_rule) PMEMSHIM_STATS=$1 LD_PRELOAD=$T_SO \
		"$T_BIN/config_program" >"$T_WORK/out" 2>"$T_WORK/err")
	[ $? = 42 ] || t_fail "$1: the exit status changed"
	sed -i '/NOTHING IS DURABLE/d' "$T_WORK/err"
}
for mask in 0 022 077 0177 0777; do
	rm -rf "$T_WORK"/dir/*
	(umask $mask && run "$T_WORK/dir/stats" && run "$T_WORK/dir/%p") || exit 1
	[ "$(find "$T_WORK/dir" -type f -size +0 | wc -l)" = 2 ] || t_fail "umask $mask: $(ls -l "$T_WORK/dir")"
	[ -z "$(find "$T_WORK/dir" -type f -perm /077)" ] || t_fail "umask $mask: $(ls -l "$T_WORK/dir")"
done
# A file that is there keeps its mode and what it holds.
echo kept >"$T_WORK/there"
chmod 640 "$T_WORK/there"
run "$T_WORK/there"
[ "$(stat -c %a "$T_WORK/there")" = 640 ] || t_fail "a file that was there: $(ls -l "$T_WORK/there")"
[ "$(head -n 1 "$T_WORK/there")" = kept ] || t_fail "a file that was there lost what it held"
# Links of every kind in the last place, and things that are not files.
echo precious >"$T_WORK/other/target"
ln -s "$T_WORK/other/target" "$T_WORK/link"
ln -s link "$T_WORK/linklink"
ln -s "$T_WORK/other" "$T_WORK/dirlink"
ln -s "$T_WORK/other/new" "$T_WORK/dangling"
for name in link linklink dirlink dangling; do
	run "$T_WORK/$name"
	[ "$(grep -c '^libpmemshim: ' "$T_WORK/err")" = 1 ] || t_fail "$name: $(cat "$T_WORK/err")"
done
[ "$(ls "$T_WORK/other")" = target ] || t_fail "a link was followed: $(ls -l "$T_WORK/other")"
[ "$(cat "$T_WORK/other/target")" = precious ] || t_fail "a link was followed"
# In a directory, the file's own name taken by a link: %p is known in advance.
rm -rf "$T_WORK"/dir/*
(cd "$T_WORK/cwd" && ln -s "$T_WORK/other/target" "$T_WORK/dir/pmemshim.$BASHPID" &&
	PMEMSHIM_PATHS=$(t_rule) PMEMSHIM_STATS="$T_WORK/dir" LD_PRELOAD=$T_SO \
		exec "$T_BIN/config_program" >"$T_WORK/out" 2>"$T_WORK/err")
[ "$(cat "$T_WORK/other/target")" = precious ] || t_fail "a link in the directory was followed"
[ "$(find "$T_WORK/dir" -type f -size +0 | wc -l)" = 1 ] || t_fail "no other name was found: $(ls -l "$T_WORK/dir")"
[ -z "$(ls "$T_WORK/cwd")" ] || t_fail "in the working directory: $(ls "$T_WORK/cwd")"
# The log.
PMEMSHIM_PATHS=$T_FILES PMEMSHIM_LOG=info LD_PRELOAD=$T_SO "$T_BIN/config_program" >/dev/null 2>"$T_WORK/err"
grep -q '^libpmemshim: rule .*not a DAX file' "$T_WORK/err" || t_real || t_fail "there was nothing to say"
[ "$(PMEMSHIM_PATHS=$T_FILES PMEMSHIM_LOG=info LD_PRELOAD=$T_SO "$T_BIN/security_files" 2>/dev/null)" = mine ] ||
	t_fail "a message went into the program's file"
