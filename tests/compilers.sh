#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Everything builds without a warning, with both compilers, optimised or not,
# and for every architecture; what was built for another one runs there.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1

top=${BUILD:-build}/compilers
passed=0 failed=0

check() {
	local name=$1
	shift
	if "$@" >"$top/log" 2>&1; then
		echo "ok $name"
		((passed++))
	else
		echo "FAIL $name"
		cat "$top/log"
		((failed++))
	fi
}

# build NAME MAKE_VARIABLE...
build() {
	make -j2 BUILD="$top/$1" WERROR=1 "${@:2}" all examples
}

in_emulation() {
	local dir
	dir=$(mktemp -d -p /dev/shm)
	qemu-aarch64 -L /usr/aarch64-linux-gnu \
		-E LD_PRELOAD="$(readlink -f "$top/aarch64/libpmemshim.so")" \
		-E PMEMSHIM_PATHS="$dir,assume_pmem=yes,mode=flush" \
		"$top/aarch64/examples/hello" "$dir/f" there &&
		[[ $(tr -d '\0' <"$dir/f") == there ]]
	local status=$?
	rm -r "$dir"
	return "$status"
}

# A copy that calls memcpy would call itself.
calls_no_copy() {
	! objdump -dr "$top"/"$1"/shim/arch/x86_64/*.o |
		grep -E 'R_X86_64.*\<mem(cpy|move|set|pcpy)'
}

mkdir -p "$top"
for cc in gcc clang; do
	for level in -O0 -O2 -O3; do
		name=$cc$level
		check "$name" build "$name" CC=$cc CFLAGS="$level -g"
		check "$name calls no copy" calls_no_copy "$name"
	done
done
check hardened build hardened \
	CFLAGS='-O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong' \
	LDFLAGS=-Wl,-z,relro,-z,now
check generic build generic ARCH=generic
check aarch64 build aarch64 CC=aarch64-linux-gnu-gcc
check 'aarch64 in emulation' in_emulation

echo "compilers: $passed passed, $failed failed, 0 skipped"
((failed == 0))
