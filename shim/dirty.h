/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dirty.h: which pages of a mapping were stored to since they were last made
 * durable, so that a persist need not flush the others (dirty=track).
 *
 * Design: the pages are write-protected through userfaultfd, which the kernel
 * lifts at the first store without asking anybody (UFFD_FEATURE_WP_ASYNC), and
 * the ioctl PAGEMAP_SCAN tells which pages are not protected and protects them
 * again. A page is passed over only when the kernel says that it is protected;
 * so whatever is unknown, new or no longer there is flushed. What the kernel
 * does not see it cannot say, so for a mapping tracking stops, for good, at
 * everything that could store to the file past this mapping's page tables. A
 * write(2) needs no flush: on DAX it streams past the caches, and the fence of
 * the next persist, or of the commit before it, waits for that (fs/dax.c,
 * dax_iomap_iter; the kernel's msync relies on the same).
 * Two faults of the kernel are worked around (seen with 6.12, DAX):
 *  - a protected page that is taken out of the page tables, or one protected
 *    before it is there, leaves a marker that a fault on DAX does not replace
 *    (mm/memory.c, insert_pfn): the program would fault for ever. So only
 *    pages that are there are protected, and tracking stops before any call
 *    that takes pages away: closing the userfaultfd lifts all protection.
 *  - a store that faults while another thread protects its page ends with a
 *    page that is writable and called protected (the file system makes it
 *    writable after the page tables' lock was let go). So nothing is scanned
 *    while the process has more than one thread.
 *
 * Concurrency: dirty_map requires registry_lock. The others run anywhere.
 */
#ifndef PMEMSHIM_DIRTY_H
#define PMEMSHIM_DIRTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/compiler.h"
#include "shim/stats.h"

/* With more threads nothing is scanned: 1. A test runner has one of its own. */
extern HIDDEN unsigned int dirty_threads;

struct dirty_mapping {
	uintptr_t addr, end;
	uint64_t offset;	/* of addr, in the file */
	uint64_t dev, ino;
	size_t rule;		/* its number, for the statistics */
};

/* Track a new mapping, if that is sound; the statistics say if it was not. */
void dirty_map(const struct dirty_mapping *mapping);

/*
 * The program has mapped what fd is, shared, at addr: every other mapping
 * of that file is tracked no longer.
 */
void dirty_mapped(int fd, const void *addr);

/* Pages of [addr, end) are about to be moved, or taken away. */
void dirty_drop(uintptr_t addr, uintptr_t end);

/* madvise(2) is about to be called; the harmless advice is let pass. */
void dirty_advised(uintptr_t addr, uintptr_t end, int advice);

/*
 * The blocks or the size of a file are about to be changed; fd, or if path is
 * not NULL that.
 */
void dirty_resized(int fd, const char *path);

/* Stop everywhere: the shim will not be asked any more. */
void dirty_stop(void);

/* The handlers of fork(2). */
void dirty_before_fork(void);
void dirty_after_fork(void);
void dirty_after_fork_in_child(void);

/*
 * STATS_TRACKED when the pages of [addr, end) can be asked for, or why not:
 * STATS_WHOLE_*. Must be answered anew for each sync.
 */
enum stats_counter dirty_judge(uintptr_t addr, uintptr_t end);

/* One sync of one range. Zeroed to begin with. */
struct dirty_sync {
	struct dirty_track *track;	/* what dirty_done must finish */
};

/* Flush [addr, end). False: that was given up, and so is the sync. */
typedef bool (*dirty_flush_fn)(void *context, uintptr_t addr, uintptr_t end);

/*
 * Flush what must be of [addr, end). Returns STATS_TRACKED; STATS_WHOLE_* when
 * all of it was flushed after all; or STATS_KERNEL_OVERTAKEN, when flush
 * returned false. From here on until dirty_done, nobody else believes what the
 * pages say.
 */
enum stats_counter dirty_flush(struct dirty_sync *sync, uintptr_t addr,
			       uintptr_t end, dirty_flush_fn flush,
			       void *context);

/*
 * Everything in the range of the sync is durable: what was flushed has been
 * drained, or the kernel has synced the range. Without this the pages are
 * never believed again. Nothing happens if dirty_flush was not called.
 */
void dirty_done(struct dirty_sync *sync);

#endif
