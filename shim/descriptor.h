/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * descriptor.h: where the shim's own descriptors go: high, because programs
 * count on the lowest free number, and close-on-exec. The program may close
 * one all the same, and another file may get its number, so whoever keeps one
 * keeps its device and inode too and compares before believing it.
 */
#ifndef PMEMSHIM_DESCRIPTOR_H
#define PMEMSHIM_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "shim/sys.h"

/* How many descriptors the shim may have in all, by the program's limit. */
long descriptor_budget(void);

/* The same file, high. low is closed in any case; -1 when it cannot be. */
int descriptor_raise(int low);

/* Whether fd is still what was kept. *st is filled. Signal-safe. */
static inline bool descriptor_leads_to(int fd, uint64_t dev, uint64_t ino,
				       struct stat *st)
{
	return sys_fstat(fd, st) == 0 && st->st_dev == dev &&
	       st->st_ino == ino;
}

#endif
