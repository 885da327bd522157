/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * flush.h: the loop that the flush_*.c files share.
 *
 * Design: it counts lines and does not compare addresses, so that a range
 * that ends with the address space ends. None of the instructions is
 * ordered by a fence here: one drain at the end costs 200 ns, one a line
 * costs that for each (facts.md, "What things cost").
 */
#ifndef PMEMSHIM_X86_64_FLUSH_H
#define PMEMSHIM_X86_64_FLUSH_H

#include <stddef.h>
#include <stdint.h>

#include "shim/arch/arch.h"

/* Lines that [addr, addr + len) touches; it is cut where addresses end. */
static inline size_t flush_count(uintptr_t addr, size_t len)
{
	if (len == 0)
		return 0;
	if (len - 1 > UINTPTR_MAX - addr)
		len = UINTPTR_MAX - addr + 1;
	return ((addr + (len - 1)) / ARCH_LINE) - addr / ARCH_LINE + 1;
}

__attribute__((always_inline))
static inline void flush_each(const void *addr, size_t len,
			      void (*flush_line)(const void *line))
{
	const char *line = addr;
	size_t n = flush_count((uintptr_t)addr, len);

	if (n == 0)
		return;
	/* Where memory is withdrawn the fault names what the program gave. */
	flush_line(line);
	line -= (uintptr_t)addr % ARCH_LINE;
	while (--n > 0) {
		line += ARCH_LINE;
		flush_line(line);
	}
}

#endif
