/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * registry.h: page -> value, for every page of a tracked mapping.
 *
 * A value is an opaque, nonzero 63-bit number; 0 means "not tracked". What it
 * says is the business of mapping.c.
 *
 * Concurrency: registry_find, registry_run and registry_touches take no lock,
 * never retry, and may run in any thread and any signal handler; each page's
 * answer was current at some instant during the call. The other functions
 * require registry_lock. Between the lock and the unlock every signal is
 * blocked, so that a handler that maps memory cannot wait for its own thread.
 */
#ifndef PMEMSHIM_REGISTRY_H
#define PMEMSHIM_REGISTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTRY_PAGE	((size_t)4096)
/* Addresses at or above this are never tracked (5-level page tables). */
#define REGISTRY_LIMIT	((uintptr_t)1 << 47)

/* Values are below this. */
#define REGISTRY_VALUE_LIMIT	((uint64_t)1 << 63)

/* The value of the page that holds addr. */
uint64_t registry_find(uintptr_t addr);

/*
 * The value of the page that holds addr, and in *end where the run of pages
 * with that value stops, at most limit. addr < limit.
 */
uint64_t registry_run(uintptr_t addr, uintptr_t limit, uintptr_t *end);

/* Whether any page of [addr, end) is tracked. */
bool registry_touches(uintptr_t addr, uintptr_t end);

/*
 * Counts withdrawals. Whoever reads it before looking pages up, and flushes
 * them only while it is the same (arch_guarded_fn), touches none that was
 * withdrawn.
 */
extern _Atomic uint64_t registry_epoch;

/*
 * Pages have left the registry, or lost attributes, and are about to be taken
 * away: when this returns nobody flushes them any more. Costs a membarrier(2)
 * where the process has threads; needs no lock.
 */
void registry_withdraw(void);

/* Ask the kernel for that membarrier. Once, before the first mapping. */
void registry_init(void);

/* The number of tracked pages. */
size_t registry_pages(void);

/*
 * In a forked child, before anything else there uses the lock. True: whoever
 * held the lock when the process forked was not inside registry_update, so the
 * registry is whole, and the lock is made usable again. False: it is not.
 */
bool registry_after_fork(void);

struct registry_guard {
	uint64_t signals;	/* the caller's mask, for registry_unlock */
	bool blocked;		/* false where a seccomp filter forbids it */
};

/*
 * Protects the registry's structure and whatever mapping.c keeps beside it.
 * Do not allocate by malloc, log or wait for another thread while holding it.
 */
void registry_lock(struct registry_guard *guard);
void registry_unlock(const struct registry_guard *guard);

/*
 * Give each page of [addr, end) what change returns for the value it has.
 * addr and end are page aligned and at most REGISTRY_LIMIT. change is called
 * for pieces of the range whose pages share a value, untracked ones included;
 * returning value leaves the piece as it is.
 *
 * Returns 0, or -ENOMEM when memory for the structure could not be had. Then
 * pages that could not be told apart, perhaps some next to the range too,
 * have become untracked: change is called once more for each value they had,
 * with lost set, and its answer is ignored.
 */
typedef uint64_t (*registry_change_fn)(void *context, uint64_t value,
				       size_t pages, bool lost);
int registry_update(uintptr_t addr, uintptr_t end, registry_change_fn change,
		    void *context);

#endif
