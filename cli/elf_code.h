/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * elf_code.h: machine code that matters to `check`, found without
 * disassembling: by bytes, and by what commonly stands around them.
 */
#ifndef PMEMSHIM_ELF_CODE_H
#define PMEMSHIM_ELF_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "cli/elf.h"

/* How far before and behind an instruction its neighbours are looked at. */
#define CODE_BEFORE	40
#define CODE_BEHIND	16

/*
 * A piece of code: what begins in [bytes, bytes + len) is to be found; before
 * and behind it are bytes that may be read.
 */
struct code_block {
	const unsigned char *bytes;
	size_t before, len, behind;
	uint64_t addr;		/* of bytes, in memory */
};

/* Adds up syscalls, syscalls_any and syscalls_to. */
void code_find_syscalls(struct elf_file *out, const struct code_block *block);

#define CODE_SLOTS	4
#define CODE_STUBS	8

/* How a file calls one function of another: x86-64 only. */
struct code_calls {
	uint64_t slots[CODE_SLOTS];	/* of its address in the GOT */
	uint64_t stubs[CODE_STUBS];	/* jmp *slot, in the PLT */
	size_t nslots, nstubs;
};

/* First the stubs in all of the code, then calls of dlopen by way of them. */
void code_find_stubs(struct code_calls *calls, const struct code_block *block);
void code_find_deepbind(struct elf_file *out, const struct code_calls *calls,
			const struct code_block *block);

#endif
