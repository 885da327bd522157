/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loader.h: which files ld.so would load for a program, found without running
 * anything: neither the program nor the interpreter that it names.
 */
#ifndef PMEMSHIM_LOADER_H
#define PMEMSHIM_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cli/elf.h"

struct loader_object {
	char *path;
	struct loader_object *parent;	/* who needed it first; NULL: program */
	struct elf_file elf;
	const char *damage;	/* NULL: it was read */
	bool libc;		/* glibc's own: it serves, and does not call */
	dev_t dev;
	ino_t ino;
};

struct loader_missing {
	char *name;
	const struct loader_object *parent;
};

/* In the order in which ld.so loads them: the program, then by distance. */
struct loader {
	struct loader_object **objects;
	size_t nobjects;
	struct loader_missing *missing;
	size_t nmissing;
	bool too_many;
};

/*
 * Opens a regular file for reading, and nothing else: never a FIFO or a
 * device. The descriptor, or -errno; -EISDIR and -EMEDIUMTYPE when it is
 * another kind of file.
 */
int loader_open(const char *path);

/*
 * Reads the file at path and, if it is a native dynamic one, everything it
 * needs. 0; -errno of opening it; -ENOEXEC: no ELF file; -EINVAL: a damaged
 * one, *why says in what. loader is to be freed in any case.
 */
int loader_load(const char *path, struct loader *loader, const char **why);
void loader_free(struct loader *loader);

/* The last part of a path. */
const char *loader_name(const char *path);

#endif
