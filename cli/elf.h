/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * elf.h: what `check` wants to know of one ELF file.
 *
 * Design: only what the loader goes by is read: program headers and the
 * dynamic segment. Sections may be stripped, and may lie. The file may be
 * damaged or hostile: every offset and count is checked against the file's
 * size, and the work is bounded by it.
 */
#ifndef PMEMSHIM_ELF_H
#define PMEMSHIM_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every interposed function, in the order of symbols.def. */
enum elf_function {
#define SYMBOL(result, name, ...) ELF_##name,
#include "shim/symbols.def"
#undef SYMBOL
	ELF_FUNCTIONS
};

extern const char *const elf_function_names[ELF_FUNCTIONS];

struct elf_import {
	enum elf_function function;
	char *version;		/* "GLIBC_2.2.5"; NULL: none is asked for */
};

struct elf_file {
	unsigned int bits;	/* 32 or 64 */
	unsigned int type;	/* ET_EXEC, ET_DYN, ... */
	unsigned int machine;	/* EM_X86_64, ... */
	bool native;		/* of this command's own machine and word size;
				   otherwise nothing below is filled in */

	char *interp;		/* NULL: none */
	bool dynamic;		/* there is a dynamic segment */
	bool pie;		/* marked as a program, not a library */
	bool no_default;	/* -z nodefaultlib */
	char *soname, *rpath, *runpath;
	char **needed;
	size_t nneeded;

	struct elf_import *imports;
	size_t nimports;
	bool defines[ELF_FUNCTIONS];	/* exported by itself */
	bool calls_dlopen, calls_dlmopen, calls_syscall;

	bool go;
	bool names_deepbind;	/* the text RTLD_DEEPBIND, or the like */
	unsigned int deepbind_calls;	/* dlopen(..., RTLD_DEEPBIND | ...) */

	/*
	 * Instructions that enter the kernel; what merely looks like one is
	 * left out as far as one can tell without disassembling.
	 */
	unsigned int syscalls;
	unsigned int syscalls_any;	/* of these, number not known */
	bool syscalls_to[ELF_FUNCTIONS];
};

/*
 * Reads the regular file behind fd. 0; -ENOEXEC: no ELF file; -EINVAL: a
 * damaged one, *why says in what. out is to be freed in any case.
 */
int elf_file_read(int fd, struct elf_file *out, const char **why);
void elf_file_free(struct elf_file *file);

bool elf_imports(const struct elf_file *file, enum elf_function function);

/* "x86-64" and the like, or NULL. */
const char *elf_machine_name(unsigned int machine);

#endif
