/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * line_avx512.h: a line in one ZMM register; see stream.h.
 *
 * Design: pieces of a line are not stored under a mask. A masked store waits
 * for every line it spans, also where the mask excludes it, and behind a head
 * that is the line just streamed: an unaligned copy of 256 B took 1.6 times
 * as long (bench, "copy, unaligned, hot").
 */
#ifndef PMEMSHIM_X86_64_LINE_AVX512_H
#define PMEMSHIM_X86_64_LINE_AVX512_H

#include <immintrin.h>

#include "edge.h"

struct line {
	__m512i a;
};

/* Intel SDM Vol. 2B, MOVDQU (EVEX.512). */
static inline struct line line_load(const char *p)
{
	return (struct line){ _mm512_loadu_si512(p) };
}

static inline void line_store(char *p, struct line l)
{
	_mm512_storeu_si512(p, l.a);
}

/* Intel SDM Vol. 2B, MOVNTDQ (EVEX.512). volatile: see line_sse2.h. */
static inline void line_stream(char *p, struct line l)
{
	__asm__ volatile("vmovntdq %1, %0"
			 : "=m"(*(__m512i *)(void *)p)
			 : "v"(l.a));
}

static inline struct line line_fill(uint32_t pattern)
{
	return (struct line){ _mm512_set1_epi32((int)pattern) };
}

/* Intel SDM Vol. 2B, PREFETCHW. */
static inline void line_own(const char *p)
{
	__asm__ volatile("prefetchw (%0)" : : "r"(p));
}

/* Intel SDM Vol. 2C, VZEROUPPER: clears the upper parts of ZMM0-15 too. */
static inline void line_end(void)
{
	_mm256_zeroupper();
}

#define edge_copy	edge_copy_sse2
#define edge_set	edge_set_sse2

#endif
