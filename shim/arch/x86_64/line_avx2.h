/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * line_avx2.h: a line in two YMM registers; see stream.h.
 */
#ifndef PMEMSHIM_X86_64_LINE_AVX2_H
#define PMEMSHIM_X86_64_LINE_AVX2_H

#include <immintrin.h>

#include "edge.h"

struct line {
	__m256i a, b;
};

/* Intel SDM Vol. 2B, MOVDQU (VEX.256). */
static inline struct line line_load(const char *p)
{
	const __m256i *q = (const __m256i *)(const void *)p;

	return (struct line){ _mm256_loadu_si256(q),
			      _mm256_loadu_si256(q + 1) };
}

static inline void line_store(char *p, struct line l)
{
	__m256i *q = (__m256i *)(void *)p;

	_mm256_storeu_si256(q, l.a);
	_mm256_storeu_si256(q + 1, l.b);
}

/* Intel SDM Vol. 2B, MOVNTDQ (VEX.256). volatile: see line_sse2.h. */
static inline void line_put(char *p, __m256i v)
{
	__asm__ volatile("vmovntdq %1, %0"
			 : "=m"(*(__m256i *)(void *)p)
			 : "x"(v));
}

static inline void line_stream(char *p, struct line l)
{
	line_put(p, l.a);
	line_put(p + 32, l.b);
}

static inline struct line line_fill(uint32_t pattern)
{
	const __m256i v = _mm256_set1_epi32((int)pattern);

	return (struct line){ v, v };
}

/*
 * Intel SDM Vol. 2B, PREFETCHW. Not in CPUID of every processor with AVX2,
 * but those without it execute it as a NOP.
 */
static inline void line_own(const char *p)
{
	__asm__ volatile("prefetchw (%0)" : : "r"(p));
}

/* Intel SDM Vol. 2C, VZEROUPPER. Compilers add it only when optimising. */
static inline void line_end(void)
{
	_mm256_zeroupper();
}

#define edge_copy	edge_copy_sse2
#define edge_set	edge_set_sse2

#endif
