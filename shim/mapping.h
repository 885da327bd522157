/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mapping.h: what the mapping calls mean here: which mappings are tracked,
 * and how the registry follows what becomes of them.
 *
 * Each function has the results, the errno and the effects of the libc
 * function that it is named for, and may run where that may; the registry's
 * lock keeps it out of signal handlers of its own thread.
 */
#ifndef PMEMSHIM_MAPPING_H
#define PMEMSHIM_MAPPING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/config.h"
#include "shim/compiler.h"
#include "shim/persist.h"

/*
 * From here on mappings under the rules are tracked. Before, and with no
 * rules, every call is passed on. Once, from the constructor.
 */
void mapping_init(const struct config *config);

struct mapping_request {
	void *addr;
	size_t len;
	int prot;
	int flags;
	int fd;
	off_t offset;
};

void *mapping_map(const struct mapping_request *request);
int mapping_unmap(void *addr, size_t len);
void *mapping_remap(void *old, size_t old_len, size_t new_len, int flags,
		    void *new);
int mapping_protect(void *addr, size_t len, int prot);
int mapping_protect_key(void *addr, size_t len, int prot, int pkey);
int mapping_advise(void *addr, size_t len, int advice);
void *mapping_attach(int id, const void *addr, int flags);
int mapping_remap_pages(void *addr, size_t len, int prot, size_t page,
			int flags);

/*
 * A flush behind the end of a file is a SIGBUS, so nobody flushes by a size
 * seen before these.
 */
int mapping_truncate(int fd, off_t len);
int mapping_truncate_path(const char *path, off_t len);
int mapping_allocate(int fd, int mode, off_t offset, off_t len);
int mapping_allocate_posix(int fd, off_t offset, off_t len);

/*
 * The program is about to give up rights, and may be about to forbid system
 * calls that it does not make itself: from here on the shim makes none.
 */
void mapping_retire(void);

/* The program is about to lock memory (MS_INVALIDATE must then be asked). */
void mapping_note_lock(void);
bool mapping_was_locked(void);

/* Where it says 0 or 1; a page that the kernel hands a forked child as zeros. */
extern HIDDEN _Atomic(unsigned char *) mapping_flag;

/*
 * False in a process without rules, before mapping_init, after mapping_retire,
 * and in a forked child until mapping_after_fork has run there. A child that was forked past
 * fork(2)'s handlers (_Fork, raw clone) stays so: everything goes to the kernel.
 */
static inline bool mapping_is_usable(void)
{
	return *atomic_load_explicit(&mapping_flag, memory_order_relaxed);
}

/*
 * Copies shorter than this have no business with the shim: the smallest
 * copy_min of the tracked mappings, SIZE_MAX while there is none.
 */
extern HIDDEN _Atomic size_t mapping_copy_min;

/* The policy to write [dst, dst + len) with, or NULL: libc's business. */
const struct persist_policy *mapping_copy_policy(const void *dst, size_t len);

/*
 * In the child of fork(2). What was not inherited leaves the registry. If
 * another thread was changing the registry when the process forked, the child
 * is left to the kernel.
 */
void mapping_after_fork(void);

/*
 * The end of the pages that [addr, addr + len) touches, as the kernel rounds.
 * False when that wraps or addr is not page aligned.
 */
bool mapping_range(const void *addr, size_t len, uintptr_t *end);

#endif
