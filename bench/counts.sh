#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# counts.sh: instructions per call, under callgrind, against the figures kept
# beside this script.
#
#	bench/counts.sh BUILD [--write]		--write: keep today's counts
#
# Exit status 0, 1 when a count grew by more than a tenth, 77 without
# valgrind. valgrind shows programs a processor of its own (AVX2, CLFLUSH), so
# the counts do not depend on this one; they do depend on the compiler, and a
# little on libc, whose own memcpy serves the small cases.

set -eu

build=$(readlink -f "$1")
here=$(readlink -f "$(dirname "$0")")
shift
command -v valgrind >/dev/null || { echo 'counts: no valgrind (package valgrind)' >&2; exit 77; }
command -v python3 >/dev/null || { echo 'counts: no python3' >&2; exit 77; }
dir=$(mktemp -d "${SHM:-/dev/shm}/pmemshim-counts.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

# run OUT [VARIABLE=VALUE]
run() {
	out=$1
	shift
	env PMEMSHIM_PATHS="$dir,assume_pmem=yes,mode=flush,kernel_above=never,refresh=0" \
		PMEMSHIM_LOG=error LD_PRELOAD="$build/libpmemshim.so" "$@" \
		valgrind -q --tool=callgrind --callgrind-out-file="$out" \
		"$build/bench/counts" "$dir/file" >"$dir/log" 2>&1 ||
		{ cat "$dir/log" >&2; exit 1; }
	rm -f "$dir/file"
}

run "$dir/out"
run "$dir/out.stats" PMEMSHIM_STATS="$dir/stats"
python3 "$here/counts.py" "$dir/out" "$dir/out.stats" "$here/counts.figures" "$@"
