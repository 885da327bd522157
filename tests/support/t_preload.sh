# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# t_preload.sh: what the tests of tests/preload share. Sourced by each NAME.sh,
# which the runner starts with
#
#   T_NAME  the test's name            T_SO     the library, absolute
#   T_ROOT  the source tree            T_BIN    where test programs are built
#   T_WORK  a scratch directory        T_DATA   one on the file system under test
#   T_REAL  yes when that file system gives MAP_SYNC (PMEMSHIM_TEST_DAX)
#   T_PMEMSHIM  the command
#
# A test may set, before it runs anything:
#
#   T_KEYS     keys of the rule (default: nothing but the rows that are asked for)
#   T_TRACE    system calls for strace; empty: no strace
#   T_FOREIGN  msync calls to expect of the kernel on ranges that begin outside
#              every tracked mapping, which no counter counts

set -uo pipefail

T_KEYS=${T_KEYS-refresh=0,kernel_above=never}
T_TRACE=${T_TRACE-msync}
T_FOREIGN=${T_FOREIGN-0}
T_FILES=$T_DATA/files
T_OUTSIDE=$T_DATA/outside
export T_FILES T_OUTSIDE
CC=${CC:-gcc}

t_fail() { echo "$*" >&2; exit 1; }
t_skip() { echo "$*" >&2; exit 77; }

# t_need COMMAND PACKAGE
t_need() { command -v "$1" >/dev/null || t_skip "no $1 (package $2)"; }

# t_real: the file system under test is real DAX.
t_real() { [ "$T_REAL" = yes ]; }
t_only_tmpfs() { if t_real; then t_skip "not on real DAX: $*"; fi; }

# t_cc OUTPUT SOURCE [FLAG...]: calls stay calls unless a flag says otherwise.
t_cc() {
	local out=$T_BIN/$1 source=$T_ROOT/tests/preload/$2
	shift 2
	# Built before, from what there is now: a guest is slow at compiling.
	if [ "$out" -nt "$source" ] && [ "$out" -nt "$T_ROOT/tests/support/t_preload.h" ] &&
		[ "$out" -nt "$T_ROOT/tests/preload/$T_NAME.sh" ] &&
		[ "$out" -nt "$T_ROOT/shim/symbols.def" ]; then
		return
	fi
	"$CC" -std=gnu11 -O0 -g -fno-builtin -Wall -Wextra -U_FORTIFY_SOURCE \
		-I"$T_ROOT" -I"$T_ROOT/tests/support" -o "$out.$$" "$source" "$@" \
		-lpthread -ldl || t_fail "$source does not compile"
	mv "$out.$$" "$out"
}

# The rule for the files of this test, with the given further keys.
t_rule() {
	local rule=$T_FILES
	t_real || rule+=,assume_pmem=yes
	[ -z "$T_KEYS" ] || rule+=,$T_KEYS
	echo "$rule"
}

# t_stats: what the statistics of the last run say, each process for itself.
t_stats() {
	local files=("$T_WORK"/stats/*)
	[ -e "${files[0]}" ] || return 0
	"$T_PMEMSHIM" stat --apart "$T_WORK/stats" || t_fail 'the statistics cannot be read'
}

# t_run WHO COMMAND...: WHO is bare or shim. Leaves WHO.out, WHO.err,
# WHO.status and WHO.strace in $T_WORK, and shim.stats, the statistics in words,
# their files in stats. The files are new each time.
t_run() {
	local who=$1 env=() trace=()
	shift
	rm -rf "$T_FILES" "$T_OUTSIDE" "$T_WORK/$who".* "$T_WORK/stats"
	mkdir -p "$T_FILES" "$T_OUTSIDE" "$T_WORK/stats"
	if [ "$who" = shim ]; then
		env=("PMEMSHIM_PATHS=$(t_rule)" "PMEMSHIM_STATS=$T_WORK/stats"
			"LD_PRELOAD=${T_PRELOAD-$T_SO}")
	elif [ -n "${T_BARE_PRELOAD-}" ]; then
		env=("LD_PRELOAD=$T_BARE_PRELOAD")
	fi
	if [ -n "$T_TRACE" ]; then
		t_need strace strace
		trace=(strace -f -qq -e signal=none -e "trace=$T_TRACE"
			-o "$T_WORK/$who.strace")
		# strace itself runs without the shim.
		for i in "${!env[@]}"; do trace+=(-E "${env[i]}"); done
		env=()
	fi
	env "${env[@]}" "${trace[@]}" "$@" >"$T_WORK/$who.out" 2>"$T_WORK/$who.err" </dev/null
	echo $? >"$T_WORK/$who.status"
	# The loud warning of assume_pmem is expected; anything else is not.
	sed -i '/^libpmemshim: assume_pmem=yes: NOTHING IS DURABLE/d' "$T_WORK/$who.err"
	[ "$who" != shim ] || t_stats >"$T_WORK/shim.stats"
}

# t_same FILE...: what the bare run left and what the shim's left are equal.
t_same() {
	local kind
	for kind in "$@"; do
		diff "$T_WORK/bare.$kind" "$T_WORK/shim.$kind" >"$T_WORK/diff" && continue
		cat "$T_WORK/diff"
		t_fail "$kind differs: $(grep -m1 '^[<>]' "$T_WORK/diff")"
	done
}

# The sum of the counters whose text begins with $1.
t_count() {
	awk -v text="$1" '{ n = $1; $1 = ""; line = substr($0, 2) }
		index(line, text) == 1 { sum += n } END { print sum + 0 }' "$T_WORK/shim.stats"
}

t_straced() { grep -c "$1(" "$T_WORK/$2.strace"; }

# The text that a short name stands for.
t_counter() {
	case $1 in
	persisted) echo 'msync persisted from user space' ;;
	nothing) echo 'msync with nothing to do' ;;
	invalid) echo 'msync with an argument' ;;
	first) echo 'msync by the kernel: first call' ;;
	changed) echo "msync by the kernel: the file's size" ;;
	commit) echo 'msync by the kernel: metadata only' ;;
	refresh) echo 'msync by the kernel: refresh' ;;
	large) echo 'msync by the kernel: range above' ;;
	mode) echo 'msync by the kernel: mode=kernel' ;;
	locked) echo 'msync by the kernel: MS_INVALIDATE' ;;
	access) echo 'msync by the kernel: the range is not readable' ;;
	partly) echo 'msync by the kernel: the range is only partly' ;;
	lost) echo 'msync by the kernel: the program closed' ;;
	overtaken) echo 'msync by the kernel: the mapping changed' ;;
	copies) echo 'copies and sets persisted' ;;
	*) t_fail "no counter is called $1" ;;
	esac
}

# t_expect NAME=N...: every msync counter not named is 0. NAME=any lets one be;
# on real DAX stores fault and move ctime, so commits come when they come.
t_expect() {
	local name expected got want
	for name in persisted nothing invalid first changed commit refresh large \
			mode locked access partly lost overtaken; do
		want=0
		for expected in "$@"; do
			[ "${expected%%=*}" = $name ] && want=${expected#*=}
		done
		if t_real && [ $name = commit ]; then continue; fi
		got=$(t_count "$(t_counter $name)")
		if [ "$want" != any ] && [ "$got" != "$want" ]; then
			cat "$T_WORK/shim.stats"
			t_fail "counter $name is $got, expected $want"
		fi
	done
	for expected in "$@"; do
		[ "${expected%%=*}" = copies ] || continue
		got=$(t_count "$(t_counter copies)")
		[ "$got" = "${expected#*=}" ] || t_fail "$got copies, expected ${expected#*=}"
	done
}

# The system calls that strace saw are those that the statistics own up to.
t_account() {
	local seen counted
	seen=$(t_straced msync shim)
	counted=$(t_count 'msync by the kernel: ')
	[ "$seen" = $((counted + T_FOREIGN)) ] || {
		cat "$T_WORK/shim.stats"
		t_fail "strace saw $seen msync, the statistics count $counted, $T_FOREIGN foreign"
	}
}

# t_judge PROGRAM [ARG...] [-- NAME=N...]: run bare and with the shim; same
# output, same exit status, an equal account of msync calls, and the counters.
t_judge() {
	local command=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do command+=("$1"); shift; done
	[ $# -eq 0 ] || shift
	command[0]=$T_BIN/${command[0]}
	t_run bare "${command[@]}"
	t_run shim "${command[@]}"
	[ -s "$T_WORK/bare.out" ] || t_fail "the bare run said nothing: $(cat "$T_WORK/bare.err")"
	t_same out err status
	[ -z "$T_TRACE" ] || t_account
	[ $# -eq 0 ] || t_expect "$@"
}
