/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * t_pages.h: the slow, obvious registry: one number for each page of a
 * window. What the radix answers is compared with it.
 */
#ifndef T_PAGES_H
#define T_PAGES_H

#include <stddef.h>
#include <stdint.h>

struct t_pages {
	uintptr_t base;
	size_t npages;
	uint64_t *values;
};

struct t_pages *t_pages_new(uintptr_t base, size_t npages);
void t_pages_free(struct t_pages *pages);
void t_pages_set(struct t_pages *pages, uintptr_t addr, uintptr_t end,
		 uint64_t value);
uint64_t t_pages_get(const struct t_pages *pages, uintptr_t addr);

/* The number of pages with a value. */
size_t t_pages_tracked(const struct t_pages *pages);

/* The next number of a seeded sequence (xorshift64*); *state is not 0. */
uint64_t t_random(uint64_t *state);

#endif
