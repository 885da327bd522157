#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check tells dynamic, static and static-pie programs, libraries, object files and what is no ELF file apart.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
t_cc dynamic program.c
t_cc dynamic-no-pie program.c -no-pie
t_cc dynamic-no-plt program.c -no-pie -fno-plt
t_cc static program.c -static
t_cc static-pie program.c -static-pie
t_cc library.so program.c -shared -fPIC
t_cc object.o program.c -c

t_cli 0 check "$T_BIN/dynamic"
t_says out "$T_BIN/dynamic: yes: preloading reaches it; msync is called by dynamic"
t_says out ' msync@GLIBC_'
for file in dynamic-no-pie dynamic-no-plt; do
	t_cli 0 check "$T_BIN/$file"
	t_says out "yes: preloading reaches it; msync is called by $file"
done
t_cli 2 check "$T_BIN/static"
t_says out 'no: a static program'
[ "$(wc -l <"$T_WORK/out")" = 1 ] || t_fail "a table for a static program"
t_cli 2 check "$T_BIN/static-pie"
t_says out 'no: a static-pie program'
t_cli 0 check "$T_BIN/library.so"
t_says out 'yes: preloading reaches it; msync is called by library.so'
t_says out 'note: a library:'
echo 'int plugin;' >plugin.c
"$CC" -shared -nostdlib -o plugin.so plugin.c || t_fail "no plugin.so"
t_cli 0 check ./plugin.so
t_says out 'note: a library:'
t_cli 2 check "$T_BIN/object.o"
t_says out 'no: an object file, not a program'

# A symbol table is no part of the judgement.
strip -s -o stripped "$T_BIN/dynamic"
# Nor are sections, which hostile tools take away.
objcopy --strip-section-headers stripped bare 2>/dev/null || {
	cp stripped bare
	# e_shoff, e_shnum and e_shstrndx
	printf '\0\0\0\0\0\0\0\0' | dd of=bare bs=1 seek=40 conv=notrunc status=none
	printf '\0\0\0\0' | dd of=bare bs=1 seek=60 conv=notrunc status=none
}
for file in stripped bare; do
	t_cli 0 check ./$file
	t_says out "yes: preloading reaches it; msync is called by $file"
	t_says out ' msync@GLIBC_'
done

echo text >text
: >empty
mkfifo fifo
mkdir directory
t_cli 2 check text
t_says out 'text: no: neither an ELF file nor a script'
t_cli 2 check ./empty
t_says out 'no: neither an ELF file nor a script'
t_cli 2 check ./fifo
t_says out 'no: not a regular file'
t_cli 2 check /dev/zero
t_says out 'no: not a regular file'
t_cli 2 check ./directory
t_says out 'no: a directory'

# The worst of several; what cannot be read is worse than a no.
t_cli 2 check --brief "$T_BIN/dynamic" "$T_BIN/static"
[ "$(wc -l <"$T_WORK/out")" = 2 ] || t_fail "--brief is not a line each"
t_cli 3 check ./nowhere "$T_BIN/static"
t_says err 'pmemshim: ./nowhere: No such file or directory'
t_one_line
t_says out 'no: a static program'
t_cli 3 check
t_one_line
t_cli 3 check --nonsense x
t_one_line

# By name, as a shell finds it.
PATH=$T_BIN:$PATH t_cli 0 check dynamic
t_says out "$T_BIN/dynamic: yes"
