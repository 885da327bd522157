/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe.h: what the test build of the library tells of its registry.
 *
 * The test build is the shipped objects and one more, probe.o, which exports
 * these; the shipped library exports nothing of the kind.
 */
#ifndef DIFFERENTIAL_PROBE_H
#define DIFFERENTIAL_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run of pages that the registry gives one value. */
struct probe_run {
	uintptr_t end;
	bool tracked;
	bool stale;		/* the value's region is gone */
	bool readable, writable;
	uint64_t offset;	/* in the file, of the first page */
	const void *file;	/* one address a file */
	bool size_known;
	uint64_t size;		/* of the file, now */
};

void pmemshim_probe_run(uintptr_t addr, uintptr_t limit,
			struct probe_run *run);
size_t pmemshim_probe_pages(void);

/* Calls of msync that were persisted from user space, and copies. */
uint64_t pmemshim_probe_persisted(void);
uint64_t pmemshim_probe_copies(void);

#endif
