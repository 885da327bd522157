#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# bench.sh: run the benchmark under the library that it measures.
#
#	bench/bench.sh BUILD [--quick] [OPTION...]	see bench.c
#
# DAX=DIR: on a real DAX mount; else on tmpfs, under assume_pmem, where all
# instructions are real and nothing is durable. OUT=DIR: where the tables, their
# JSON and the plots go (default BUILD/bench).

set -eu

build=$(readlink -f "$1")
here=$(readlink -f "$(dirname "$0")")
shift
out=${OUT:-$build/bench}
assume=
if [ -n "${DAX:-}" ]; then
	medium="$(stat -f -c %T "$DAX") with DAX"
	dir=$(mktemp -d "$DAX/pmemshim-bench.XXXXXX")
else
	medium="tmpfs, assumed"
	assume=,assume_pmem=yes
	dir=$(mktemp -d "${SHM:-/dev/shm}/pmemshim-bench.XXXXXX")
fi
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$out" "$dir/verify" "$dir/noverify" "$dir/stream" "$dir/plain"

# Ranges of any size are persisted here: what the kernel does with them is
# another contender.
keys=$assume,kernel_above=never
rules="$dir/verify$keys;$dir/noverify$keys,verify=no;$dir/plain$keys,copy=off"
# The smallest copy_min that is mapped makes every smaller copy be looked up.
small="$dir/stream$keys,copy_min=1"

# part NAME RULES [OPTION...]
part() {
	part=$1 paths=$2
	shift 2
	env PMEMSHIM_DEFAULTS=mode=flush PMEMSHIM_PATHS="$paths" PMEMSHIM_LOG=error BENCH_MEDIUM="$medium" \
		LD_PRELOAD="$build/libpmemshim.so" \
		"$build/bench/bench" --dir "$dir" --part "$part" \
		--json "$out/$part.json" "$@"
	rm -rf "${dir:?}"/*/* "$dir/outside"
}

{
	case " $* " in
	*' --only '*) ;;
	*)
		part loaded "$rules" "$@"
		part maps "$dir/verify" "$@" | sed 1,4d
		;;
	esac
	part rows "$rules;$small" "$@"
	! command -v python3 >/dev/null ||
		python3 "$here/report.py" "$out/rows.json" --svg "$out"
} | tee "$out/results.txt"
