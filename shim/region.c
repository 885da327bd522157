/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * region.c: regions in chunks that are never unmapped, found by number.
 *
 * Design: a value is, from bit 0 up,
 *
 *	policy 8 | attributes 3 | number 22 | generation 30
 *
 * The generation is never 0, so neither is a value.
 */
#include "shim/region.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "shim/compiler.h"
#include "shim/own.h"
#include "shim/registry.h"

#define POLICY_BITS	8
#define ATTRIBUTE_BITS	3
#define NUMBER_BITS	22
#define GENERATION_BITS	30

#define ATTRIBUTE_SHIFT		POLICY_BITS
#define NUMBER_SHIFT		(ATTRIBUTE_SHIFT + ATTRIBUTE_BITS)
#define GENERATION_SHIFT	(NUMBER_SHIFT + NUMBER_BITS)

_Static_assert(GENERATION_SHIFT + GENERATION_BITS == 63,
	       "a value fits the registry");

#define CHUNK_REGIONS	1024
#define CHUNKS_MAX	((1u << NUMBER_BITS) / CHUNK_REGIONS)

struct region {
	_Atomic uint64_t generation;
	_Atomic(struct file *) file;
	_Atomic uint64_t delta;
	_Atomic uint64_t synced_at;
	/* Of the value with the attributes below; 0: of none. */
	_Atomic uintptr_t end;
	_Atomic unsigned int end_attributes;
	size_t pages;		/* the writers' own */
	uint32_t next_free;	/* number + 1 */
};

/* Read by anyone, extended under the lock. */
static _Atomic(struct region *) chunks[CHUNKS_MAX];
static uint32_t made;
static uint32_t first_free;	/* number + 1 */

static uint64_t field(uint64_t value, unsigned int shift, unsigned int bits)
{
	return value >> shift & (((uint64_t)1 << bits) - 1);
}

static uint64_t generation_of(uint64_t value)
{
	return field(value, GENERATION_SHIFT, GENERATION_BITS);
}

static struct region *region_at(uint32_t number)
{
	/* Pairs with the release store in add_chunk. */
	struct region *chunk = atomic_load_explicit(
		&chunks[number / CHUNK_REGIONS], memory_order_acquire);

	return &chunk[number % CHUNK_REGIONS];
}

static struct region *region_of(uint64_t value)
{
	return region_at((uint32_t)field(value, NUMBER_SHIFT, NUMBER_BITS));
}

bool region_is_current(uint64_t value)
{
	return atomic_load_explicit(&region_of(value)->generation,
				    memory_order_acquire) ==
	       generation_of(value);
}

bool region_read(uint64_t value, struct region_view *view)
{
	const struct region *region = region_of(value);

	/*
	 * Each pairs with a release store in region_new, which comes after
	 * the new generation: whoever sees a new field sees that too.
	 */
	view->file = atomic_load_explicit(&region->file, memory_order_acquire);
	view->delta = atomic_load_explicit(&region->delta,
					   memory_order_acquire);
	view->synced_at = atomic_load_explicit(&region->synced_at,
					       memory_order_acquire);
	view->policy = region_policy(value);
	view->attributes = region_attributes(value);
	/* Pairs with the release store in region_set_end. */
	view->end = atomic_load_explicit(&region->end, memory_order_acquire);
	if (atomic_load_explicit(&region->end_attributes,
				 memory_order_relaxed) != view->attributes)
		view->end = 0;
	return region_is_current(value);
}

unsigned int region_policy(uint64_t value)
{
	return (unsigned int)field(value, 0, POLICY_BITS);
}

void region_synced(uint64_t value, uint64_t now)
{
	/*
	 * On a region recycled just now this spares its first call the
	 * kernel only if the program raced its own munmap with an msync; the
	 * caller's check of the generation keeps that window to this line.
	 */
	if (region_is_current(value))
		atomic_store_explicit(&region_of(value)->synced_at, now,
				      memory_order_release);
}

void region_set_end(uint64_t value, uintptr_t end)
{
	struct region *region = region_of(value);

	atomic_store_explicit(&region->end_attributes,
			      region_attributes(value), memory_order_relaxed);
	atomic_store_explicit(&region->end, end, memory_order_release);
}

unsigned int region_attributes(uint64_t value)
{
	return (unsigned int)field(value, ATTRIBUTE_SHIFT, ATTRIBUTE_BITS);
}

uint64_t region_with_attributes(uint64_t value, unsigned int attributes)
{
	uint64_t mask = (((uint64_t)1 << ATTRIBUTE_BITS) - 1)
			<< ATTRIBUTE_SHIFT;

	return (value & ~mask) | (uint64_t)attributes << ATTRIBUTE_SHIFT;
}

static bool add_chunk(void)
{
	void *chunk = own_pages(CHUNK_REGIONS * sizeof(struct region));

	if (chunk == MAP_FAILED)
		return false;
	/* Pairs with the acquire load in region_at. */
	atomic_store_explicit(&chunks[made / CHUNK_REGIONS], chunk,
			      memory_order_release);
	return true;
}

/* The number of an unused region + 1, or 0. */
static uint32_t take_free(void)
{
	uint32_t taken = first_free;

	if (taken) {
		first_free = region_at(taken - 1)->next_free;
		return taken;
	}
	if (made == CHUNK_REGIONS * CHUNKS_MAX ||
	    (made % CHUNK_REGIONS == 0 && !add_chunk()))
		return 0;
	return ++made;
}

static uint64_t next_generation(uint64_t generation)
{
	uint64_t next = field(generation + 1, 0, GENERATION_BITS);

	return next ? next : 1;
}

uint64_t region_new(const struct region_view *view)
{
	uint32_t taken = take_free();
	struct region *region;
	uint64_t generation;

	if (!taken)
		return 0;
	region = region_at(taken - 1);
	generation = next_generation(atomic_load_explicit(
		&region->generation, memory_order_relaxed));
	atomic_store_explicit(&region->generation, generation,
			      memory_order_release);
	atomic_store_explicit(&region->file, view->file,
			      memory_order_release);
	atomic_store_explicit(&region->delta, view->delta,
			      memory_order_release);
	atomic_store_explicit(&region->synced_at, view->synced_at,
			      memory_order_release);
	atomic_store_explicit(&region->end, 0, memory_order_release);
	region->pages = 0;
	return region_with_attributes(
		generation << GENERATION_SHIFT |
		(uint64_t)(taken - 1) << NUMBER_SHIFT | view->policy,
		view->attributes);
}

void region_add_pages(uint64_t value, size_t pages)
{
	region_of(value)->pages += pages;
}

void region_remove_pages(uint64_t value, size_t pages)
{
	struct region *region = region_of(value);
	struct file *file;

	region->pages -= pages;
	if (region->pages > 0)
		return;
	/* Readers of old values must see at once that they are old. */
	atomic_store_explicit(&region->generation,
			      next_generation(generation_of(value)),
			      memory_order_release);
	file = atomic_load_explicit(&region->file, memory_order_relaxed);
	if (file)
		file_put(file);
	region->next_free = first_free;
	first_free = (uint32_t)field(value, NUMBER_SHIFT, NUMBER_BITS) + 1;
}
