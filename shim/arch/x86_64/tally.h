/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tally.h: counters that one thread at a time changes. See shim/arch/tally.h.
 */
#ifndef PMEMSHIM_X86_64_TALLY_H
#define PMEMSHIM_X86_64_TALLY_H

#include <stdint.h>

/* Intel SDM Vol. 2A, ADD: unlocked, and not interrupted half way. */
static inline void tally_alone(uint64_t *counter, uint64_t n)
{
	__asm__("addq %1, %0" : "+m"(*counter) : "er"(n) : "cc");
}

/* Intel SDM Vol. 2D, XADD. */
static inline uint64_t tally_next_alone(uint64_t *counter)
{
	uint64_t n = 1;

	__asm__("xaddq %0, %1" : "+r"(n), "+m"(*counter) : : "cc");
	return n;
}

#endif
