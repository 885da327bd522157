/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * drain_sfence.c: wait for what was flushed and streamed.
 *
 * Design: SFENCE orders CLWB, CLFLUSHOPT and non-temporal stores before every
 * later store (Intel SDM Vol. 2B, SFENCE; Vol. 2A, CLWB), and what it has
 * ordered is in the write-pending queue, which ADR empties on power loss.
 */
#include "kernels.h"

/* Intel SDM Vol. 2B, SFENCE. "memory": nothing is moved across it. */
static inline void sfence(void)
{
	__asm__ volatile("sfence" : : : "memory");
}

void drain_sfence(void)
{
	sfence();
}
