#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A configuration error is one line on stderr, the program runs on, and every msync is the kernel's.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc config_program config_program.c
t_need strace strace
mkdir -p "$T_FILES"
# try TEXT-OF-THE-LINE CALLS VARIABLE=VALUE...
try() {
	local line=$1 calls=$2 status
	shift 2
	env "$@" strace -f -qq -e trace=msync -o "$T_WORK/strace" -E LD_PRELOAD="$T_SO" \
		"$T_BIN/config_program" >"$T_WORK/out" 2>"$T_WORK/err"
	status=$?
	sed -i '/NOTHING IS DURABLE/d' "$T_WORK/err"
	[ $status = 42 ] || t_fail "$*: exit status $status"
	[ "$(cat "$T_WORK/out")" = "fine" ] || t_fail "$*: output changed"
	[ "$(grep -c msync "$T_WORK/strace")" = "$calls" ] ||
		t_fail "$*: $(grep -c msync "$T_WORK/strace") msync calls, $calls expected"
	if [ -z "$line" ]; then
		[ ! -s "$T_WORK/err" ] || t_fail "$*: $(cat "$T_WORK/err")"
		return
	fi
	[ "$(wc -l <"$T_WORK/err")" = 1 ] || t_fail "$*: $(wc -l <"$T_WORK/err") lines: $(cat "$T_WORK/err")"
	grep -q "^libpmemshim: .*$line" "$T_WORK/err" || t_fail "$*: $(cat "$T_WORK/err")"
}
good=$T_FILES,assume_pmem=yes,refresh=0
# Of three calls a working shim leaves the first to the kernel.
try '' 1 PMEMSHIM_PATHS="$good"
try '' 1 PMEMSHIM_PATHS=";$good;" PMEMSHIM_DEFAULTS=verify=no
# Nothing said at all, which is auto and finds real DAX; or nothing under a rule.
unsaid=3
t_real && unsaid=1
try '' $unsaid UNRELATED=1
try '' 3 PMEMSHIM_PATHS=
try '' 3 PMEMSHIM_PATHS=/usr
# One clear line.
try "unknown key 'sped'" 3 PMEMSHIM_PATHS="$good,sped=1"
try 'PMEMSHIM_PATHS.*is neither an absolute path' 3 PMEMSHIM_PATHS="files;$good"
try 'not KEY=VALUE' 3 PMEMSHIM_PATHS="$good,mode"
try "copy_min='99999999999999999999'.*too large" 3 PMEMSHIM_PATHS="$good,copy_min=99999999999999999999"
try "copy_min='18014398509481984K'.*too large" 3 PMEMSHIM_PATHS="$good,copy_min=18014398509481984K"
try "refresh='1'.*unit" 3 PMEMSHIM_PATHS="$T_FILES,assume_pmem=yes,refresh=1"
try "mode='fast'.*accepted" 3 PMEMSHIM_PATHS="$good,mode=fast"
try 'backslash' 3 PMEMSHIM_PATHS="$good;/a\\b"
try 'PMEMSHIM_DEFAULTS' 3 PMEMSHIM_PATHS="$good" PMEMSHIM_DEFAULTS=copy=maybe
try "PMEMSHIM_LOG: 'loud'" 1 PMEMSHIM_PATHS="$good" PMEMSHIM_LOG=loud
try 'PMEMSHIM_PATH: unknown variable' $unsaid PMEMSHIM_PATH="$good"
try "PMEMSHIM_STATS: ''" 1 PMEMSHIM_PATHS="$good" PMEMSHIM_STATS=
try 'No such file' 3 PMEMSHIM_PATHS=/nonexistent/place
try 'No such file' 1 PMEMSHIM_PATHS="/nonexistent/place;$good"
# What a message quotes stays one line, whatever it holds.
try 'x0a' 3 PMEMSHIM_PATHS="$good,a
b=1"
# Percent signs are text.
try '%s%n' 3 PMEMSHIM_PATHS="$good,%s%n=1"
