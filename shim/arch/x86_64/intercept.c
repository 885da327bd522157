/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * intercept.c: dlopen and dlmopen, which have to leave their caller's return
 * address where libc looks for it: no frame, no call, and no faith in what a
 * compiler makes of a call in the last line.
 */
#include "shim/loader.h"

#define NAKED __attribute__((naked, used))

/* Three registers pushed at a call's entry also align the stack for the next. */
#define BIND_AND_JUMP(pointer)						\
	__asm__("pushq %rdi\n\t"					\
		".cfi_adjust_cfa_offset 8\n\t"				\
		"pushq %rsi\n\t"					\
		".cfi_adjust_cfa_offset 8\n\t"				\
		"pushq %rdx\n\t"					\
		".cfi_adjust_cfa_offset 8\n\t"				\
		"call loader_bind\n\t"					\
		"popq %rdx\n\t"						\
		".cfi_adjust_cfa_offset -8\n\t"				\
		"popq %rsi\n\t"						\
		".cfi_adjust_cfa_offset -8\n\t"				\
		"popq %rdi\n\t"						\
		".cfi_adjust_cfa_offset -8\n\t"				\
		"jmp *" #pointer "(%rip)")

HIDDEN void *loader_first_dlopen(const char *name, int flags);
HIDDEN void *loader_first_dlmopen(Lmid_t space, const char *name, int flags);

NAKED void *loader_first_dlopen(const char *name __attribute__((unused)),
				int flags __attribute__((unused)))
{
	BIND_AND_JUMP(loader_dlopen);
}

NAKED void *loader_first_dlmopen(Lmid_t space __attribute__((unused)),
				 const char *name __attribute__((unused)),
				 int flags __attribute__((unused)))
{
	BIND_AND_JUMP(loader_dlmopen);
}

EXPORTED NAKED void *dlopen(const char *name __attribute__((unused)),
			    int flags __attribute__((unused)))
{
	__asm__("andl loader_flags(%rip), %esi\n\t"
		"jmp *loader_dlopen(%rip)");
}

/* In a namespace of its own the module has a libc of its own: not reached. */
EXPORTED NAKED void *dlmopen(Lmid_t space __attribute__((unused)),
			     const char *name __attribute__((unused)),
			     int flags __attribute__((unused)))
{
	__asm__("testq %rdi, %rdi\n\t"
		"jnz 1f\n\t"
		"andl loader_flags(%rip), %edx\n"
		"1:\n\t"
		"jmp *loader_dlmopen(%rip)");
}
