/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flush_clwb.c: write lines back with CLWB.
 *
 * Design: unordered until the drain, and the line may stay in the cache: a
 * rewrite after CLFLUSHOPT takes 20-45 % longer (facts.md).
 */
#include "flush.h"
#include "kernels.h"

/* Intel SDM Vol. 2A, CLWB. "memory": the stores before it come first. */
static inline void clwb(const void *line)
{
	__asm__ volatile("clwb (%0)" : : "r"(line) : "memory");
}

void flush_clwb(const void *addr, size_t len)
{
	flush_each(addr, len, clwb);
}
