#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The examples, bare and under the shim: same output, same files; and under the
# shim they do what their comments say. On tmpfs with assume_pmem, or in
# PMEMSHIM_TEST_DAX.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1

build=$(readlink -f "${BUILD:-build}")
export PMEMSHIM=$build/libpmemshim.so PMEMSHIM_LOG=error
dir=$(mktemp -d -p "${PMEMSHIM_TEST_DAX:-/dev/shm}" pmemshim-examples.XXXXXX)
trap 'rm -rf "$dir"' EXIT
[[ -n ${PMEMSHIM_TEST_DAX:-} ]] ||
	export PMEMSHIM_PATHS="$dir,assume_pmem=yes"
# What mode=auto does depends on times.
export PMEMSHIM_DEFAULTS=mode=flush
passed=0 failed=0 skipped=0

verdict() {
	if (($1 == 0)); then
		echo "ok $2"
		((passed++))
	else
		echo "FAIL $2"
		((failed++))
	fi
}

shimmed() {
	rm -f "$dir"/stats*
	LD_PRELOAD=$PMEMSHIM PMEMSHIM_STATS=$dir/stats "$@"
}

# did N TEXT: the shim counted at least N of what TEXT says.
did() {
	"$build/pmemshim" stat "$dir/stats" |
		awk -v least="$1" -v text="$2" 'index($0, text) { n += $1 }
		END { exit !(n >= least) }'
}

hello() {
	[[ $("$build/examples/hello" "$dir/bare" text) == "stored: text" ]] &&
		[[ $(shimmed "$build/examples/hello" "$dir/ours" text) == \
			"stored: text" ]] &&
		cmp "$dir/bare" "$dir/ours" &&
		did 1 'persisted from user space'
}

copy_file() {
	shimmed "$build/examples/copy_file" "$PMEMSHIM" "$dir/copy" &&
		cmp "$PMEMSHIM" "$dir/copy" && did 1 'copies and sets persisted'
}

copy_blocks() {
	shimmed "$build/examples/copy_blocks" "$PMEMSHIM" "$dir/blocks" &&
		cmp "$PMEMSHIM" "$dir/blocks" &&
		did 10 'copies and sets persisted'
}

for example in hello copy_file copy_blocks; do
	"$example"
	verdict $? "$example"
done

# recipe NAME COMMAND: COMMAND says whether the program is there.
recipe() {
	if ! sh -c "$2" >/dev/null 2>&1; then
		echo "skip recipes/$1: its program is not installed"
		((skipped++))
		return
	fi
	rm -f "$dir"/stats*
	PMEMSHIM_STATS=$dir/stats "examples/recipes/$1.sh" "$dir" >/dev/null &&
		did 1 'persisted'
	verdict $? "recipes/$1"
}

recipe gdbm 'command -v gdbmtool'
recipe lmdb '/usr/bin/python3 -c "import lmdb"'
recipe fio 'command -v fio'

echo "examples: $passed passed, $failed failed, $skipped skipped"
((failed == 0))
