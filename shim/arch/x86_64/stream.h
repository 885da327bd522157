/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stream.h: the order in which the copy_nt_*.c and set_nt_*.c files move
 * lines. The ISA comes from line_<isa>.h, included before this:
 *
 *   struct line			64 bytes in vector registers
 *   line_load, line_store	unaligned, plain
 *   line_stream		aligned, non-temporal
 *   line_fill			a pattern in every 4 bytes
 *   line_own			hint: this line is about to be written
 *   line_end			leave the upper halves clean
 *   edge_copy, edge_set	pieces shorter than a line
 *
 * Design: a destination is a ragged head, whole lines, and a ragged tail.
 *
 *        d      body                    body_end    d + len
 *   |....hhhhhhh|SSSSSSSSSSS|SSSSSSSSSSS|tttttttt........|
 *
 * Whole lines are streamed and never stored plainly: a plain store would
 * bring the line back into the cache, to be flushed again. Head and tail are
 * stored and flushed, one line each, after the body, so that the fetch that
 * line_own began is over. A partial non-temporal store is no way out: the
 * buffer it leaves behind costs a read-modify-write in the device.
 * MOVDIR64B instead of the vector stores gains nothing: within 2 % up to
 * 256 KiB, 5 % slower at 1 MiB.
 *
 * Overlap: in a body line all of its source is loaded before it is streamed,
 * and a line's source lies in that line and in those not yet written (going
 * up when dst < src, down when dst > src), so streaming never reads back what
 * it streamed. What head and tail need is saved before the body moves.
 *
 * All of this runs inside an interposed memcpy. A struct line passes by value
 * and is never assigned through a pointer: clang -O0 would call memcpy.
 */
#ifndef PMEMSHIM_X86_64_STREAM_H
#define PMEMSHIM_X86_64_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "shim/arch/arch.h"
#include "shim/compiler.h"

/* Below this, stores and flushes beat streaming: bench, "copy, aligned, hot". */
#define STREAM_MIN	((size_t)256)

/*
 * Bytes whose loads are issued together: two lines, whatever the registers.
 * Loads that miss the first level compete with streaming stores for the same
 * fill buffers; with four lines a copy out of the second level is 2-5 %
 * slower, a cold one 5-10 %: bench, "copy, aligned, hot" and "cold".
 */
#define STREAM_BATCH	(2 * ARCH_LINE)

/*
 * In turn (stream_in_turn, Intel): longer copies are cut into parts that are
 * streamed in turn, a batch of each, so that as many pages of source are open
 * in the prefetchers and in DRAM: 1.4-1.6 times as fast on a cold source. Two
 * parts from STREAM_TWO (5 % at 2-8 KiB, hot), four from STREAM_FOUR. A part
 * is at most a page; a copy that is shorter is cut evenly: bench, the same
 * groups.
 */
#define STREAM_TWO	((size_t)1536)
#define STREAM_FOUR	((size_t)12288)
#define STREAM_PART	((size_t)4096)

/*
 * What the second level cannot hold is asked for this far ahead of the loads
 * (5-8 % from memory); asking for what it does hold costs 2-4 %.
 */
#define STREAM_LARGE	((size_t)1 << 20)
#define STREAM_AHEAD	((size_t)512)

/*
 * One line after another (AMD): parts in turn cost a cold copy a third on
 * Zen 5. Its prefetchers need some pages before they run at full length, so
 * up to STREAM_WARM the source is asked for, STREAM_ASK at a time, that far
 * ahead: 1.2 times as fast at 16 KiB, 1.4 at 32 KiB. Asking further costs a
 * tenth from 256 KiB on; below STREAM_FOUR it gains nothing: bench, "copy,
 * aligned, cold". But where each second load straddles two lines, between
 * STREAM_LARGE and STREAM_NEAR, all of it is asked for: out of the third level
 * up to 1.3 times as fast, out of memory 5 to 10 % slower (Zen 3): bench,
 * "copy, unaligned, hot" and "cold".
 */
#define STREAM_NEAR		((size_t)16 << 20)
#define STREAM_WARM		((size_t)65536)
#define STREAM_WARM_AHEAD	((size_t)2048)
#define STREAM_ASK		((size_t)256)

/* The destination's three parts. */
struct span {
	size_t head;	/* bytes before the first whole line */
	size_t body;	/* bytes in whole lines */
	size_t tail;	/* bytes after the last whole line */
};

static inline struct span span_split(const char *dst, size_t len)
{
	struct span s;

	s.head = -(uintptr_t)dst % ARCH_LINE;
	s.body = (len - s.head) & ~(ARCH_LINE - 1);
	s.tail = len - s.head - s.body;
	return s;
}

static inline void span_own(const char *dst, const struct span *s)
{
	if (s->head)
		line_own(dst);
	if (s->tail)
		line_own(dst + s->head + s->body);
}

static inline void span_flush(const char *dst, const struct span *s,
			      arch_flush_fn flush)
{
	if (s->head)
		flush(dst, s->head);
	if (s->tail)
		flush(dst + s->head + s->body, s->tail);
}

/* memmove below STREAM_MIN: everything into registers, then out. */
static inline void copy_short(char *dst, const char *src, size_t len)
{
	if (len < ARCH_LINE) {
		edge_copy(dst, src, len);
	} else if (len < 2 * ARCH_LINE) {
		const struct line a = line_load(src);
		const struct line z = line_load(src + len - ARCH_LINE);

		line_store(dst, a);
		line_store(dst + len - ARCH_LINE, z);
	} else {
		const struct line a = line_load(src);
		const struct line b = line_load(src + ARCH_LINE);
		const struct line y = line_load(src + len - 2 * ARCH_LINE);
		const struct line z = line_load(src + len - ARCH_LINE);

		line_store(dst, a);
		line_store(dst + ARCH_LINE, b);
		line_store(dst + len - 2 * ARCH_LINE, y);
		line_store(dst + len - ARCH_LINE, z);
	}
}

/* One batch: loads, then streams. */
static inline void copy_batch(char *dst, const char *src)
{
	const struct line a = line_load(src);
	const struct line b = line_load(src + ARCH_LINE);

	line_stream(dst, a);
	line_stream(dst + ARCH_LINE, b);
}

/* Whole lines upwards; right for dst below src or apart from it. */
static inline void copy_up(char *dst, const char *src, size_t len)
{
	for (; len >= STREAM_BATCH; len -= STREAM_BATCH) {
		copy_batch(dst, src);
		dst += STREAM_BATCH;
		src += STREAM_BATCH;
	}
	if (len)
		line_stream(dst, line_load(src));
}

/* Whole lines downwards; right for dst above src. */
static inline void copy_down(char *dst, const char *src, size_t len)
{
	while (len >= STREAM_BATCH) {
		len -= STREAM_BATCH;
		copy_batch(dst + len, src + len);
	}
	if (len)
		line_stream(dst, line_load(src));
}

/* Intel SDM Vol. 2B, PREFETCHh: a hint; it never faults. */
static inline void copy_ask(const char *src)
{
	__asm__ volatile("prefetcht0 (%0)" : : "r"(src));
	__asm__ volatile("prefetcht0 (%0)" : : "r"(src + ARCH_LINE));
}

/* n parts, the first at src, batches in turn:  0 4 8.. 1 5 9.. 2 6 10.. 3 */
ALWAYS_INLINE
static inline void copy_parts(char *dst, const char *src, size_t part, size_t n)
{
	for (size_t i = 0; i < part; i += STREAM_BATCH)
		for (size_t k = 0; k < n; k++)
			copy_batch(dst + k * part + i, src + k * part + i);
}

/* Whole lines in n parts; only for ranges that are apart. */
ALWAYS_INLINE
static inline void copy_cut(char *dst, const char *src, size_t len, size_t n)
{
	while (len >= n * STREAM_BATCH) {
		size_t part = len / n & ~(STREAM_BATCH - 1);

		if (part > STREAM_PART)
			part = STREAM_PART;
		copy_parts(dst, src, part, n);
		dst += n * part;
		src += n * part;
		len -= n * part;
	}
	copy_up(dst, src, len);
}

/*
 * Four pages in turn, as copy_parts does, asking ahead. Near its end a part
 * asks for what lies next bytes on.
 */
static inline void copy_pages(char *dst, const char *src, size_t next)
{
	for (size_t i = 0; i < STREAM_PART; i += STREAM_BATCH) {
		const size_t on = i + STREAM_AHEAD < STREAM_PART ? STREAM_AHEAD
								 : next;

		for (size_t k = 0; k < 4 * STREAM_PART; k += STREAM_PART) {
			copy_ask(src + k + i + on);
			copy_batch(dst + k + i, src + k + i);
		}
	}
}

/* As copy_cut, for sources that no cache near the core holds. */
static inline void copy_large(char *dst, const char *src, size_t len)
{
	for (; len >= 8 * STREAM_PART; len -= 4 * STREAM_PART) {
		/* The same part of the next four pages: src has them. */
		copy_pages(dst, src, 3 * STREAM_PART + STREAM_AHEAD);
		dst += 4 * STREAM_PART;
		src += 4 * STREAM_PART;
	}
	copy_cut(dst, src, len, 4);
}

/* Loads that straddle lines of what perhaps the third level alone holds. */
static inline bool copy_straddles(const char *src, size_t len)
{
	return len > STREAM_LARGE && len <= STREAM_NEAR &&
	       (uintptr_t)src % ARCH_LINE;
}

/*
 * Whole lines one after another, the first of them asked for ahead; all of
 * them where the prefetchers do not keep up with loads from the third level.
 */
static inline void copy_straight(char *dst, const char *src, size_t len)
{
	const size_t warm = copy_straddles(src, len) ? len : STREAM_WARM;
	size_t i = 0;

	for (; i < warm && i + STREAM_WARM_AHEAD + STREAM_ASK <= len;
	     i += STREAM_ASK) {
		const char *ahead = src + i + STREAM_WARM_AHEAD;

		for (size_t k = 0; k < STREAM_ASK; k += STREAM_BATCH)
			copy_ask(ahead + k);
		copy_up(dst + i, src + i, STREAM_ASK);
	}
	copy_up(dst + i, src + i, len - i);
}

/* Whole lines, the way that suits their number and the processor. */
static inline void copy_body(char *dst, const char *src, size_t len)
{
	if (!stream_in_turn && len >= STREAM_FOUR)
		copy_straight(dst, src, len);
	else if (!stream_in_turn || len < STREAM_TWO)
		copy_up(dst, src, len);
	else if (len < STREAM_FOUR)
		copy_cut(dst, src, len, 2);
	else if (len <= STREAM_LARGE)
		copy_cut(dst, src, len, 4);
	else
		copy_large(dst, src, len);
}

/* Ranges that share no byte. */
static inline void copy_apart(char *dst, const char *src, const struct span *s)
{
	const char *body = src + s->head;

	copy_body(dst + s->head, body, s->body);
	edge_copy(dst, src, s->head);
	edge_copy(dst + s->head + s->body, body + s->body, s->tail);
}

/* Ranges that share bytes: head and tail wait in a buffer. */
COLD static void copy_shared(char *dst, const char *src, const struct span *s)
{
	const size_t len = s->head + s->body + s->tail;
	char head[ARCH_LINE], tail[ARCH_LINE];

	line_store(head, line_load(src));
	line_store(tail, line_load(src + len - ARCH_LINE));
	if ((uintptr_t)dst < (uintptr_t)src)
		copy_up(dst + s->head, src + s->head, s->body);
	else
		copy_down(dst + s->head, src + s->head, s->body);
	edge_copy(dst, head, s->head);
	edge_copy(dst + s->head + s->body, tail + ARCH_LINE - s->tail, s->tail);
}

/* Is one range's start inside the other? */
static inline bool copy_overlaps(const char *dst, const char *src, size_t len)
{
	return (uintptr_t)dst - (uintptr_t)src < len ||
	       (uintptr_t)src - (uintptr_t)dst < len;
}

/* The contract of arch_copy_fn. */
static inline void stream_copy(char *dst, const char *src, size_t len,
			       arch_flush_fn flush)
{
	struct span s;

	if (len < STREAM_MIN) {
		copy_short(dst, src, len);
		line_end();
		flush(dst, len);
		return;
	}
	if (unlikely(dst == src)) {
		/* Nothing changes, but the caller expects it durable. */
		flush(dst, len);
		return;
	}
	s = span_split(dst, len);
	span_own(dst, &s);
	if (unlikely(copy_overlaps(dst, src, len)))
		copy_shared(dst, src, &s);
	else
		copy_apart(dst, src, &s);
	line_end();
	span_flush(dst, &s, flush);
}

/* The pattern below STREAM_MIN. */
static inline void set_short(char *dst, uint32_t pattern, size_t len)
{
	if (len < ARCH_LINE) {
		edge_set(dst, pattern, len);
	} else {
		const struct line a = line_fill(pattern);
		const struct line z = line_fill(edge_turn(pattern, len));

		line_store(dst, a);
		line_store(dst + len - ARCH_LINE, z);
		if (len < 2 * ARCH_LINE)
			return;
		line_store(dst + ARCH_LINE, a);
		line_store(dst + len - 2 * ARCH_LINE, z);
	}
}

/* Whole lines of one value. */
static inline void set_lines(char *dst, struct line l, size_t len)
{
	for (; len >= STREAM_BATCH; len -= STREAM_BATCH) {
		line_stream(dst, l);
		line_stream(dst + ARCH_LINE, l);
		dst += STREAM_BATCH;
	}
	if (len)
		line_stream(dst, l);
}

/* The contract of arch_set_fn. */
static inline void stream_set(char *dst, uint32_t pattern, size_t len,
			      arch_flush_fn flush)
{
	uint32_t turned;
	struct span s;

	if (len < STREAM_MIN) {
		set_short(dst, pattern, len);
		line_end();
		flush(dst, len);
		return;
	}
	s = span_split(dst, len);
	span_own(dst, &s);
	/* Body and tail begin a multiple of 64 after the head. */
	turned = edge_turn(pattern, s.head);
	set_lines(dst + s.head, line_fill(turned), s.body);
	edge_set(dst, pattern, s.head);
	edge_set(dst + s.head + s.body, turned, s.tail);
	line_end();
	span_flush(dst, &s, flush);
}

#endif
