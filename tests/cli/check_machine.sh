#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check refuses another word size, another machine, another C library and a missing interpreter.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
[ "$(uname -m)" = x86_64 ] || t_skip "made for x86-64"
t_cc dynamic program.c
echo 'void _start(void) { for (;;); }' >start.c

# Without a C library, for which 32 bits would have to be installed.
"$CC" -m32 -nostdlib -static -o static32 start.c || t_skip "no -m32"
"$CC" -m32 -nostdlib -pie -fPIE -Wl,--dynamic-linker=/lib/ld-linux.so.2 -o dynamic32 start.c ||
	t_fail "no 32-bit program"
for file in static32 dynamic32; do
	t_cli 2 check ./$file
	t_says out 'no: for another machine or word size (i386, 32 bits)'
done

patch() { # NAME OFFSET BYTES: a copy of dynamic, changed
	cp "$T_BIN/dynamic" "$1"
	# shellcheck disable=SC2059 # the bytes are a format
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
patch arm 18 '\267\0'
t_cli 2 check ./arm
t_says out '(aarch64, 64 bits)'
patch other 18 '\1\1'
t_cli 2 check ./other
t_says out '(machine 257, 64 bits)'
# Big-endian: e_machine reads the other way round.
patch big 5 '\2'
t_cli 2 check ./big
t_says out 'no: for another machine'
# x32: this machine, but 32 bits.
patch x32 4 '\1'
t_cli 2 check ./x32
t_says out '(x86-64, 32 bits)'

interp() { # NAME INTERPRETER
	"$CC" -o "$1" "$T_ROOT/tests/cli/program.c" -Wl,--dynamic-linker="$2" ||
		t_fail "no program for $2"
}
interp musl "$T_WORK/ld-musl-x86_64.so.1"
cp /bin/true ld-musl-x86_64.so.1
t_cli 2 check ./musl
t_says out 'no: linked with musl'
interp gone /no/such/ld-linux.so
t_cli 2 check ./gone
t_says out 'no: its interpreter /no/such/ld-linux.so cannot be executed: No such file'
interp strange /bin/true
t_cli 1 check ./strange
t_says out 'partly: its interpreter /bin/true may not be glibc'
