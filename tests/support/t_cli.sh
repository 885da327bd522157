# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# t_cli.sh: what the tests of tests/cli share. Sourced by each NAME.sh, which
# tests/cli/run starts; its --help names the variables.

set -uo pipefail
CC=${CC:-gcc}

t_fail() { echo "$*" >&2; exit 1; }
t_skip() { echo "$*" >&2; exit 77; }

# t_need COMMAND PACKAGE
t_need() { command -v "$1" >/dev/null || t_skip "no $1 (package $2)"; }

# t_cc OUTPUT SOURCE [FLAG...]: as a user would compile; SOURCE in tests/cli.
t_cc() {
	local out=$T_BIN/$1 source=$T_ROOT/tests/cli/$2
	shift 2
	"$CC" -std=gnu11 -O0 -g -fno-builtin -Wall -Wextra -U_FORTIFY_SOURCE \
		-o "$out.$$" "$source" "$@" || t_fail "$source does not compile"
	# Tests that run at the same time build the same program.
	mv "$out.$$" "$out"
}

# t_cli STATUS ARGUMENT...: pmemshim with the arguments exits with STATUS.
# Leaves what it said in $T_WORK/out and $T_WORK/err.
t_cli() {
	local expected=$1 status
	shift
	"$T_CLI" "$@" >"$T_WORK/out" 2>"$T_WORK/err"
	status=$?
	[ $status = "$expected" ] || {
		cat "$T_WORK/out" "$T_WORK/err"
		t_fail "pmemshim $*: exit status $status, expected $expected"
	}
}

# t_says out|err TEXT: a fixed string that stands in what was said last.
t_says() {
	grep -qF -- "$2" "$T_WORK/$1" || {
		cat "$T_WORK/$1"
		t_fail "std$1 does not say: $2"
	}
}

t_not_says() {
	if grep -qF -- "$2" "$T_WORK/$1"; then
		cat "$T_WORK/$1"
		t_fail "std$1 says: $2"
	fi
}

# t_one_line: stderr holds exactly one line, and it begins as ours do.
t_one_line() {
	if [ "$(wc -l <"$T_WORK/err")" != 1 ] || ! grep -q '^pmemshim' "$T_WORK/err"; then
		cat "$T_WORK/err"
		t_fail "stderr is not one line of pmemshim's"
	fi
}

# t_json EXPRESSION: what stdout holds is JSON, and the expression, in Python
# with the document as j, is true.
t_json() {
	t_need python3 python3
	python3 -c 'import json, sys
j = json.load(open(sys.argv[1], encoding="utf-8"))
if not eval(sys.argv[2]):
    sys.exit("not true of the JSON: " + sys.argv[2])' "$T_WORK/out" "$1" || {
		cat "$T_WORK/out"
		t_fail "JSON: $1"
	}
}
