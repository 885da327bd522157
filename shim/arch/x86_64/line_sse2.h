/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * line_sse2.h: a line in four XMM registers; see stream.h.
 */
#ifndef PMEMSHIM_X86_64_LINE_SSE2_H
#define PMEMSHIM_X86_64_LINE_SSE2_H

#include "edge.h"

struct line {
	__m128i a, b, c, d;
};

static inline struct line line_load(const char *p)
{
	return (struct line){ edge_load(p), edge_load(p + 16),
			      edge_load(p + 32), edge_load(p + 48) };
}

static inline void line_store(char *p, struct line l)
{
	edge_store(p, l.a);
	edge_store(p + 16, l.b);
	edge_store(p + 32, l.c);
	edge_store(p + 48, l.d);
}

/*
 * Intel SDM Vol. 2B, MOVNTDQ; Vol. 1, 10.4.6.2 on non-temporal data. volatile
 * keeps a line's stores together: gcc mixes those of several lines when it
 * may, which costs up to 40 % (bench, "copy, aligned, hot").
 */
static inline void line_put(char *p, __m128i v)
{
	__asm__ volatile("movntdq %1, %0"
			 : "=m"(*(__m128i *)(void *)p)
			 : "x"(v));
}

static inline void line_stream(char *p, struct line l)
{
	line_put(p, l.a);
	line_put(p + 16, l.b);
	line_put(p + 32, l.c);
	line_put(p + 48, l.d);
}

static inline struct line line_fill(uint32_t pattern)
{
	const __m128i v = _mm_set1_epi32((int)pattern);

	return (struct line){ v, v, v, v };
}

/*
 * Intel SDM Vol. 2B, PREFETCHh. PREFETCHW would be better, but the first
 * 64-bit Intel processors do not know the opcode.
 */
static inline void line_own(const char *p)
{
	__asm__ volatile("prefetcht0 (%0)" : : "r"(p));
}

static inline void line_end(void)
{
}

#define edge_copy	edge_copy_sse2
#define edge_set	edge_set_sse2

#endif
