/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/t_pages.h"

#include <stdlib.h>

#define PAGE 4096u

struct t_pages *t_pages_new(uintptr_t base, size_t npages)
{
	struct t_pages *pages = malloc(sizeof(*pages));

	pages->base = base;
	pages->npages = npages;
	pages->values = calloc(npages, sizeof(*pages->values));
	return pages;
}

void t_pages_free(struct t_pages *pages)
{
	free(pages->values);
	free(pages);
}

void t_pages_set(struct t_pages *pages, uintptr_t addr, uintptr_t end,
		 uint64_t value)
{
	for (; addr < end; addr += PAGE)
		pages->values[(addr - pages->base) / PAGE] = value;
}

uint64_t t_pages_get(const struct t_pages *pages, uintptr_t addr)
{
	return pages->values[(addr - pages->base) / PAGE];
}

size_t t_pages_tracked(const struct t_pages *pages)
{
	size_t n = 0;

	for (size_t i = 0; i < pages->npages; i++)
		n += pages->values[i] != 0;
	return n;
}

uint64_t t_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}
