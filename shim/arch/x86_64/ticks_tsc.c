/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ticks_tsc.c: the time stamp counter.
 *
 * Design: RDTSC waits for nothing, so a reading behind a drain could be taken
 * while the drain is still under way, and a persist would look cheaper than
 * it is. LFENCE begins nothing behind it before all in front of it has
 * completed (Intel SDM Vol. 2A, LFENCE; Vol. 2B, RDTSC).
 */
#include "kernels.h"

/* Intel SDM Vol. 2B, RDTSC. */
static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* Intel SDM Vol. 2A, LFENCE. */
static inline void lfence(void)
{
	__asm__ volatile("lfence" : : : "memory");
}

uint64_t ticks_tsc(void)
{
	return rdtsc();
}

uint64_t ticks_after_tsc(void)
{
	lfence();
	return rdtsc();
}
