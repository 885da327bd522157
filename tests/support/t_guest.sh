# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# t_guest.sh: what the scripts of tests/guest/check share. They run in the
# guest, or natively where PMEMSHIM_TEST_DAX names a directory, with
#
#   T_SO    the library                 T_OUT   results go here (not on DAX)
#   T_BIN   the compiled programs       T_DIR   the directory on DAX
#   T_HERE  tests/guest                 T_FS    the kind of medium, or native
#   T_PMEMSHIM  the command
#
# A verdict is a line in $T_OUT/verdicts; tests/guest/suite collects them.

t_ok() { echo "ok $1" >>"$T_OUT/verdicts"; }
t_bad() { echo "FAIL $1: ${*:2}" >>"$T_OUT/verdicts"; }
t_skip() { echo "skip $1: ${*:2}" >>"$T_OUT/verdicts"; }

# t_verdict NAME COMMAND...: ok when it succeeds, else FAIL with its last line.
t_verdict() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then
		t_ok "$name"
	else
		t_bad "$name" "$(tail -n 1 <<<"${said:-$* failed}")"
	fi
}

# t_say TEXT: fail with it, inside a t_verdict.
t_say() { echo "$*"; return 1; }

# t_shim [NAME=VALUE...] COMMAND...: with the shim, configured by nothing else.
t_shim() { env "LD_PRELOAD=$T_SO" "$@"; }

# t_stats FILE|DIR: the statistics there in words, each process for itself.
t_stats() { "$T_PMEMSHIM" stat --apart "$1" 2>/dev/null; }

# t_count FILE|DIR TEXT: the sum of the counters that begin with TEXT in the
# statistics there.
t_count() {
	t_stats "$1" | awk -v text="$2" '
		{ n = $1; $1 = ""; if (index(substr($0, 2), text) == 1) sum += n }
		END { print sum + 0 }'
}

# t_header KEY FILE: what "# KEY: " says in the header of a workload.
t_header() { sed -n "s/^# $1: //p" "$2"; }
