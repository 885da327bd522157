#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check finds calls that pass the shim by: system calls of one's own, functions of one's own, RTLD_DEEPBIND.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
[ "$(uname -m)" = x86_64 ] || t_skip "made for x86-64"
make_program() { # NAME CODE [FLAG...]
	echo "$2" >"$1.c"
	"$CC" -O2 -o "$1" "$1.c" "${@:3}" || t_fail "no $1"
}
enter='static long enter(long n) {
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(n) : "rcx", "r11", "memory");
	return r;
}'
make_program plain 'int main(void) { return 0; }'
t_cli 0 check ./plain
t_not_says out syscall
make_program own "$enter int main(void) { return (int)enter(26); }"
t_cli 1 check ./own
t_says out 'partly: own enters the kernel by itself: 1 syscall instruction, for msync among others'
t_cli 1 check --json ./own
t_json 'j["files"][0]["objects"][0]["makes_system_calls"] == ["msync"]'
t_json 'j["files"][0]["objects"][0]["syscall_instructions"] == 1'
make_program harmless "$enter int main(void) { return (int)enter(39); }"
t_cli 0 check ./harmless
t_says out 'note: harmless enters the kernel by itself: 1 syscall instruction, none for an interposed function'
make_program any "$enter int main(int argc, char **argv) { (void)argv; return enter(argc) == 0; }"
t_cli 1 check ./any
t_says out '1 of which may be for anything'
# In a library, too.
make_program libown.so "$enter int own(void) { return (int)enter(9); }" -shared -fPIC
make_program linked 'int own(void); int main(void) { return own(); }' ./libown.so
t_cli 1 check ./linked
t_says out 'libown.so enters the kernel by itself: 1 syscall instruction, for mmap'
# The same bytes as part of something else are no such instruction.
# shellcheck disable=SC2016
make_program false_alarm 'int main(void) {
	__asm__ volatile("mov $5, %%eax; .byte 0x8d, 0x0d, 0x0f, 0x05, 0, 0" : : : "eax", "ecx");
	__asm__ volatile("mov $5, %%eax; .byte 0xe8, 0x0f, 0x05, 0xff, 0xff" : : : "eax");
	__asm__ volatile(".fill 64, 1, 0x90");
	__asm__ volatile("mov $142, %%r8d; .byte 0x8d, 0x0d, 0x0f, 0x05, 0x10, 0" : : : "r8", "ecx");
	return 0;
}'
t_cli 0 check ./false_alarm
t_not_says out syscall
# Where two blocks of the reader meet, none is lost, none counted twice.
make_program long "int main(void) {
	__asm__ volatile(\".balign 4096; .fill 1048576 * 3, 1, 0x90\");
	return 0;
} __attribute__((used)) static void f(void) {
	__asm__ volatile(\".rept 300000; mov \$26, %eax; syscall; .endr\");
}"
t_cli 1 check ./long
t_says out 'long enters the kernel by itself: 300000 syscall instructions, for msync'

make_program defines '#include <sys/mman.h>
int msync(void *p, size_t n, int f) { (void)p; (void)n; (void)f; return 0; }
int main(void) { return msync(0, 0, 0); }' -rdynamic
t_cli 1 check ./defines
t_says out 'partly: it has its own msync'
make_program copies '#include <string.h>
void *memcpy(void *d, const void *s, size_t n) { (void)s; (void)n; return d; }
int main(void) { return 0; }' -rdynamic -fno-builtin
t_cli 0 check ./copies
t_says out 'note: it has its own memcpy: '

make_program loads '#include <dlfcn.h>
int main(int argc, char **argv) { return dlopen(argv[1], argc) != 0; }' -ldl
t_cli 0 check ./loads
t_says out 'note: it can load further libraries'
t_not_says out DEEPBIND
for flags in '' -fno-plt -O0 -Wl,-z,lazy -fcf-protection=none -Wl,-z,ibtplt; do
	# shellcheck disable=SC2086 # none, or one
	make_program deep '#include <dlfcn.h>
	int main(void) { return dlopen("lib.so", RTLD_NOW | RTLD_DEEPBIND) != 0; }' -D_GNU_SOURCE $flags
	t_cli 1 check ./deep
	t_says out 'partly: deep seems to load libraries with RTLD_DEEPBIND'
done
make_program libdeep.so '#define _GNU_SOURCE
#include <dlfcn.h>
void *load(void) { return dlopen("lib.so", RTLD_NOW | RTLD_DEEPBIND); }' -shared -fPIC
make_program uses_deep 'void *load(void); int main(void) { return load() != 0; }' ./libdeep.so -Wl,-rpath,.
t_cli 0 check ./uses_deep
t_says out 'note: libdeep.so seems to load libraries with RTLD_DEEPBIND'
make_program shallow '#include <dlfcn.h>
int deep(void *p, int n) { return p != 0 && n == 10; }
int main(void) { return deep(0, 10) + (dlopen("lib.so", RTLD_NOW) != 0); }' -O0
t_cli 0 check ./shallow
t_not_says out DEEPBIND
make_program names '#include <dlfcn.h>
#include <stdlib.h>
int main(int argc, char **argv) {
	return dlopen(argv[1], getenv("NO_DEEPBIND") ? argc : argc + 8) != 0;
}'
t_cli 0 check ./names
t_says out 'note: names may load libraries with RTLD_DEEPBIND'
