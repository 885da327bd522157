/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flush_clflush.c: write lines back with CLFLUSH.
 *
 * Design: for processors that have nothing better. It is ordered against
 * other CLFLUSHes and stores (SDM Vol. 2A, CLFLUSH): about 190 ns a line.
 */
#include "flush.h"
#include "kernels.h"

/* Intel SDM Vol. 2A, CLFLUSH. "memory": the stores before it come first. */
static inline void clflush(const void *line)
{
	__asm__ volatile("clflush (%0)" : : "r"(line) : "memory");
}

void flush_clflush(const void *addr, size_t len)
{
	flush_each(addr, len, clflush);
}
