/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edge.h: pieces shorter than a line, by plain SSE2 and integer stores.
 *
 * Design: a piece is covered by two equal moves that may overlap, one from
 * its start and one to its end, so there is no loop and nothing beyond the
 * piece is touched. All loads come before the first store: memmove.
 */
#ifndef PMEMSHIM_X86_64_EDGE_H
#define PMEMSHIM_X86_64_EDGE_H

#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>

/* Unaligned integers that may alias anything; memcpy is not ours to call. */
struct edge16 { uint16_t v; } __attribute__((packed, may_alias));
struct edge32 { uint32_t v; } __attribute__((packed, may_alias));
struct edge64 { uint64_t v; } __attribute__((packed, may_alias));

/* Intel SDM Vol. 2B, MOVDQU. */
static inline __m128i edge_load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline void edge_store(char *p, __m128i v)
{
	_mm_storeu_si128((__m128i *)(void *)p, v);
}

static inline void edge_copy_upto15(char *dst, const char *src, size_t len)
{
	if (len >= 8) {
		const struct edge64 a = *(const struct edge64 *)src;
		const struct edge64 z = *(const struct edge64 *)(src + len - 8);

		*(struct edge64 *)dst = a;
		*(struct edge64 *)(dst + len - 8) = z;
	} else if (len >= 4) {
		const struct edge32 a = *(const struct edge32 *)src;
		const struct edge32 z = *(const struct edge32 *)(src + len - 4);

		*(struct edge32 *)dst = a;
		*(struct edge32 *)(dst + len - 4) = z;
	} else if (len >= 2) {
		const struct edge16 a = *(const struct edge16 *)src;
		const struct edge16 z = *(const struct edge16 *)(src + len - 2);

		*(struct edge16 *)dst = a;
		*(struct edge16 *)(dst + len - 2) = z;
	} else if (len) {
		*dst = *src;
	}
}

/* memmove(dst, src, len) for len below a line. */
static inline void edge_copy_sse2(char *dst, const char *src, size_t len)
{
	if (len >= 32) {
		const __m128i a = edge_load(src);
		const __m128i b = edge_load(src + 16);
		const __m128i y = edge_load(src + len - 32);
		const __m128i z = edge_load(src + len - 16);

		edge_store(dst, a);
		edge_store(dst + 16, b);
		edge_store(dst + len - 32, y);
		edge_store(dst + len - 16, z);
	} else if (len >= 16) {
		const __m128i a = edge_load(src);
		const __m128i z = edge_load(src + len - 16);

		edge_store(dst, a);
		edge_store(dst + len - 16, z);
	} else {
		edge_copy_upto15(dst, src, len);
	}
}

/* The pattern as it reads n bytes further on (little endian). */
static inline uint32_t edge_turn(uint32_t pattern, size_t n)
{
	const unsigned int bits = (unsigned int)(n % 4) * 8;

	return pattern >> bits | pattern << (-bits & 31);
}

/* Fill len bytes, below a line, with the pattern starting at dst. */
static inline void edge_set_sse2(char *dst, uint32_t pattern, size_t len)
{
	/* What a move that ends with the piece has to begin with. */
	const uint32_t turned = edge_turn(pattern, len);
	char *const end = dst + len;

	if (len >= 16) {
		const __m128i a = _mm_set1_epi32((int)pattern);
		const __m128i z = _mm_set1_epi32((int)turned);

		if (len >= 32) {
			edge_store(dst + 16, a);
			edge_store(end - 32, z);
		}
		edge_store(dst, a);
		edge_store(end - 16, z);
	} else if (len >= 4) {
		if (len >= 8) {
			((struct edge32 *)dst)[1].v = pattern;
			((struct edge32 *)(end - 8))->v = turned;
		}
		((struct edge32 *)dst)->v = pattern;
		((struct edge32 *)(end - 4))->v = turned;
	} else {
		for (size_t i = 0; i < len; i++)
			dst[i] = (char)(edge_turn(pattern, i) & 0xff);
	}
}

#endif
