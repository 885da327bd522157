/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * t_kernel.h: a kernel and a machine that only keep accounts: what a sync, a
 * store and a page fault cost, of a mapping with entries of 4 KiB or of 2 MiB,
 * by either way. Costs are set; those of t_kernel_costs are facts of a core of
 * the Sapphire Rapids generation with DRAM.
 */
#ifndef T_KERNEL_H
#define T_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/stats_file.h"

/* In ns; lines in ps. */
struct t_kernel_costs {
	uint64_t syscall;	/* msync with nothing to do, device flush included */
	uint64_t entry;		/* to find, lock and write-protect a dirty entry */
	uint64_t fault;		/* a store to a page that msync has cleaned */
	uint64_t touch;		/* the first access to a page by a walk */
	uint64_t commit;	/* of metadata alone */
	uint64_t call;		/* of the shim, without the flush */
	uint64_t line_clean, line_dirty;
};

extern const struct t_kernel_costs t_kernel_costs;

struct t_kernel;

/* A mapping of len bytes with entries of 2 MiB (huge) or 4 KiB. */
struct t_kernel *t_kernel_map(const struct t_kernel_costs *costs, uint64_t len,
			      bool huge);
void t_kernel_unmap(struct t_kernel *kernel);

/* The program stores to `lines` lines of a page. */
void t_kernel_store(struct t_kernel *kernel, uint64_t page, unsigned int lines);

/* It syncs pages [first, first + n). */
void t_kernel_sync(struct t_kernel *kernel, enum stats_arm arm, uint64_t first,
		   uint64_t n);

/* The shim looks at the file before the kernel syncs it. */
void t_kernel_look(struct t_kernel *kernel);

/* It does something else for so long. */
void t_kernel_work(struct t_kernel *kernel, uint64_t ns);

/* Since the mapping was made: what syncs and the faults in stores took. */
uint64_t t_kernel_spent(const struct t_kernel *kernel);
/* Of the last sync: the time of committing metadata; whether msync did it. */
uint64_t t_kernel_committed(const struct t_kernel *kernel);
bool t_kernel_by_msync(const struct t_kernel *kernel);

uint64_t t_kernel_time(const struct t_kernel *kernel);
uint64_t t_kernel_faults(const struct t_kernel *kernel);

#endif
