/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flush_clflushopt.c: write lines back with CLFLUSHOPT.
 *
 * Design: unordered until the drain, and evicts: the program's next store to
 * the line fetches it again.
 */
#include "flush.h"
#include "kernels.h"

/* Intel SDM Vol. 2A, CLFLUSHOPT. "memory": the stores before it come first. */
static inline void clflushopt(const void *line)
{
	__asm__ volatile("clflushopt (%0)" : : "r"(line) : "memory");
}

void flush_clflushopt(const void *addr, size_t len)
{
	flush_each(addr, len, clflushopt);
}
