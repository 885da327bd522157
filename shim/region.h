/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * region.h: what the registry's values stand for.
 *
 * A region is what one mmap (or one mremap) made: a file, and which byte of
 * it lies at which address. What may differ from page to page, the access
 * and the inheritance, is in the value itself, so splitting a region is a
 * matter of the registry alone. A region lives while any page has its value.
 *
 * Concurrency: region_read, region_is_current and region_synced may run
 * anywhere. The others require registry_lock. Regions are recycled; a value
 * carries the generation that it was made for, so a reader that was overtaken
 * finds out and leaves the call to the kernel.
 */
#ifndef PMEMSHIM_REGION_H
#define PMEMSHIM_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/file.h"

/* Attributes of a page. */
#define REGION_READABLE		1u	/* a flush does not fault */
#define REGION_WRITABLE		2u
#define REGION_DONTFORK		4u

struct region_view {
	struct file *file;	/* NULL for device-DAX */
	uint64_t delta;		/* address + delta = file offset, modulo 2^64 */
	uint64_t synced_at;	/* by the kernel, ns of the caller's clock; 0:
				   not yet */
	uintptr_t end;		/* see region_set_end; 0: not known */
	unsigned int policy;	/* see persist.h */
	unsigned int attributes;
};

/* Copy out what value stands for. False when its region is gone. */
bool region_read(uint64_t value, struct region_view *view);

/* Whether the region of value has not been recycled. */
bool region_is_current(uint64_t value);

/* The policy in a value, without looking at the region. */
unsigned int region_policy(uint64_t value);

/* The kernel synced some of the region at the time now (not 0). */
void region_synced(uint64_t value, uint64_t now);

/*
 * Every page from the one the caller has looked up to end has this value: set
 * with the lock held, after the pages have it; unset before any of them gets
 * another one. 0: not known, look at each page.
 */
void region_set_end(uint64_t value, uintptr_t end);

unsigned int region_attributes(uint64_t value);
uint64_t region_with_attributes(uint64_t value, unsigned int attributes);

/*
 * A new region without pages, holding one reference to view->file (taken
 * over from the caller). Returns its value, or 0 when memory cannot be had;
 * then the reference stays the caller's.
 */
uint64_t region_new(const struct region_view *view);

/* Count pages that got the value, or lost it; the last one frees the region. */
void region_add_pages(uint64_t value, size_t pages);
void region_remove_pages(uint64_t value, size_t pages);

#endif
