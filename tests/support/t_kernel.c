/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/t_kernel.h"

#include <stdlib.h>

#define PAGE		4096
#define HUGE_PAGES	512
#define LINES_EACH	64
/* The clock that stamps inodes. */
#define TICK		UINT64_C(4000000)

const struct t_kernel_costs t_kernel_costs = {
	.syscall = 1300, .entry = 250, .fault = 1000, .touch = 2500,
	.commit = 1500, .call = 300, .line_clean = 2200, .line_dirty = 5400,
};

enum {
	PRESENT = 1,		/* of a page: in the page tables */
	WRITABLE = 2,		/* a store does not fault */
	CACHED = 4,		/* some line of it is dirty in the caches */
	TAGGED = 8,		/* of an entry: dirty to the kernel */
};

struct t_kernel {
	struct t_kernel_costs costs;
	uint64_t npages, per_entry, time, spent, faults;
	uint64_t stamp, synced_stamp;	/* ctime in ticks, plus one */
	uint64_t committed;	/* by the last sync */
	bool by_msync;
	bool looked;		/* the shim has seen what the kernel synced */
	unsigned char *pages;	/* flags of the first page of an entry count */
	unsigned char *lines;	/* dirty in the caches, of each page */
	/* Lists that syncs need not search for. */
	uint64_t *tagged, ntagged, *cached, ncached, present;
};

struct t_kernel *t_kernel_map(const struct t_kernel_costs *costs, uint64_t len,
			      bool huge)
{
	struct t_kernel *k = calloc(1, sizeof(*k));

	k->costs = *costs;
	k->npages = len / PAGE;
	k->per_entry = huge ? HUGE_PAGES : 1;
	k->pages = calloc(k->npages + HUGE_PAGES, 1);
	k->lines = calloc(k->npages + HUGE_PAGES, 1);
	k->tagged = malloc(k->npages * sizeof(uint64_t));
	k->cached = malloc(k->npages * sizeof(uint64_t));
	k->time = TICK;
	return k;
}

void t_kernel_unmap(struct t_kernel *k)
{
	free(k->pages);
	free(k->lines);
	free(k->tagged);
	free(k->cached);
	free(k);
}

static void spend(struct t_kernel *k, uint64_t ns)
{
	k->time += ns;
	k->spent += ns;
}

static uint64_t entry_of(const struct t_kernel *k, uint64_t page)
{
	return page - page % k->per_entry;
}

static void fault(struct t_kernel *k, uint64_t entry)
{
	k->pages[entry] |= PRESENT | WRITABLE;
	if (!(k->pages[entry] & TAGGED))
		k->tagged[k->ntagged++] = entry;
	k->pages[entry] |= TAGGED;
	k->faults++;
	spend(k, k->costs.fault);
	k->stamp = k->time / TICK + 1;
}

void t_kernel_store(struct t_kernel *k, uint64_t page, unsigned int lines)
{
	if (!(k->pages[entry_of(k, page)] & WRITABLE))
		fault(k, entry_of(k, page));
	if (!k->lines[page])
		k->cached[k->ncached++] = page;
	if (k->lines[page] < lines)
		k->lines[page] = (unsigned char)lines;
}

/* The dirty lines of [first, first + n) leave the caches. */
static void flush(struct t_kernel *k, uint64_t first, uint64_t n)
{
	uint64_t dirty = 0;

	for (uint64_t page = first; k->ncached && page < first + n; page++) {
		dirty += k->lines[page];
		k->lines[page] = 0;
	}
	spend(k, (dirty * k->costs.line_dirty +
		  (n * LINES_EACH - dirty) * k->costs.line_clean) / 1000);
}

/* Few pages of a large range are found by the list. */
static void flush_range(struct t_kernel *k, uint64_t first, uint64_t n)
{
	uint64_t dirty = 0, kept = 0;

	for (uint64_t i = 0; i < k->ncached; i++) {
		uint64_t page = k->cached[i];

		if (page < first || page >= first + n) {
			k->cached[kept++] = page;
			continue;
		}
		dirty += k->lines[page];
		k->lines[page] = 0;
	}
	k->ncached = kept;
	spend(k, (dirty * k->costs.line_dirty +
		  (n * LINES_EACH - dirty) * k->costs.line_clean) / 1000);
}

static void forget_clean(struct t_kernel *k)
{
	uint64_t kept = 0;

	for (uint64_t i = 0; i < k->ncached; i++)
		if (k->lines[k->cached[i]])
			k->cached[kept++] = k->cached[i];
	k->ncached = kept;
}

static void sync_by_kernel(struct t_kernel *k, uint64_t first, uint64_t n)
{
	uint64_t kept = 0;

	k->by_msync = true;
	spend(k, k->costs.syscall);
	for (uint64_t i = 0; i < k->ntagged; i++) {
		uint64_t entry = k->tagged[i];

		if (entry + k->per_entry <= first || entry >= first + n) {
			k->tagged[kept++] = entry;
			continue;
		}
		spend(k, k->costs.entry);
		flush(k, entry, k->per_entry);
		k->pages[entry] &= (unsigned char)~(TAGGED | WRITABLE);
	}
	k->ntagged = kept;
	forget_clean(k);
}

static void touch(struct t_kernel *k, uint64_t first, uint64_t n)
{
	if (k->present == k->npages)
		return;
	for (uint64_t page = entry_of(k, first); page < first + n;
	     page += k->per_entry) {
		if (k->pages[page] & PRESENT)
			continue;
		k->pages[page] |= PRESENT;
		k->faults++;
		spend(k, k->costs.touch);
	}
	if (first == 0 && n == k->npages)
		k->present = n;
}

/* With the contract's rows: the first, and the metadata that has moved. */
static void sync_by_us(struct t_kernel *k, uint64_t first, uint64_t n)
{
	const uint64_t tick = k->time / TICK + 1;

	if (!k->looked) {
		k->looked = true;
		sync_by_kernel(k, first, n);
		return;
	}
	spend(k, k->costs.call);
	k->committed = k->stamp != k->synced_stamp ? k->costs.commit : 0;
	spend(k, k->committed);
	/* One of this tick is not trusted. */
	k->synced_stamp = k->stamp == tick ? 0 : k->stamp;
	touch(k, first, n);
	flush_range(k, first, n);
}

void t_kernel_sync(struct t_kernel *k, enum stats_arm arm, uint64_t first,
		   uint64_t n)
{
	k->committed = 0;
	k->by_msync = false;
	if (arm == STATS_ARM_KERNEL)
		sync_by_kernel(k, first, n);
	else
		sync_by_us(k, first, n);
}

void t_kernel_look(struct t_kernel *k)
{
	k->looked = true;
	k->synced_stamp = k->stamp == k->time / TICK + 1 ? 0 : k->stamp;
}

void t_kernel_work(struct t_kernel *k, uint64_t ns)
{
	k->time += ns;
}

uint64_t t_kernel_spent(const struct t_kernel *k)
{
	return k->spent;
}

uint64_t t_kernel_time(const struct t_kernel *k)
{
	return k->time;
}

uint64_t t_kernel_faults(const struct t_kernel *k)
{
	return k->faults;
}

uint64_t t_kernel_committed(const struct t_kernel *k)
{
	return k->committed;
}

bool t_kernel_by_msync(const struct t_kernel *k)
{
	return k->by_msync;
}
