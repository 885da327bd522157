/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_arch.c: every streaming kernel that is built in, held against a byte
 * loop and against the contract of arch.h.
 *
 * Design: a kernel that this processor cannot run is skipped, by name, on
 * stderr; `arch.says_what_runs_here` counts them. A recording flush sees what
 * the kernel flushes, whether a line comes twice, and whether its bytes were
 * already in place.
 */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/arch/arch.h"

/* Below this a kernel flushes all it wrote; from here it streams lines. */
#define STREAM_MIN	((size_t)256)

#define PAGE		((size_t)4096)
#define ROOM		((size_t)(5 << 18) + 4 * PAGE)
#define GUARD		((size_t)192)	/* guard bytes looked at */

/* Memory between two pages that nobody may touch. */
struct arena {
	unsigned char *start;
	unsigned char *end;
};

static struct arena arena_new(size_t len)
{
	unsigned char *p;
	struct arena a;

	len = (len + PAGE - 1) & ~(PAGE - 1);
	p = mmap(NULL, len + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		 -1, 0);
	cr_assert_neq(p, MAP_FAILED);
	a.start = p + PAGE;
	a.end = a.start + len;
	cr_assert_eq(mprotect(a.start, len, PROT_READ | PROT_WRITE), 0);
	return a;
}

static uint32_t rnd_state = 1;

static uint32_t rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 17;
	rnd_state ^= rnd_state << 5;
	return rnd_state;
}

static void scramble(unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)(rnd() >> 7);
}

/* What the kernel under test has been asked to do. */
static struct {
	const char *name;
	const unsigned char *dst;
	const unsigned char *want;	/* what dst should hold at the end */
	size_t len;
	unsigned char seen[(ROOM >> 6) + 2];	/* flushes by line of dst */
	size_t calls;
} rec;

static void fail(const char *format, ...)
{
	char what[200];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	cr_assert(0, "%s, len %zu, dst %% 64 = %zu: %s", rec.name, rec.len,
		  (size_t)((uintptr_t)rec.dst % 64), what);
	abort();
}

static void recording_flush(const void *addr, size_t len)
{
	const unsigned char *p = addr;
	uintptr_t first, last, base;

	rec.calls++;
	if (len == 0)
		return;
	if (p < rec.dst || p + len > rec.dst + rec.len)
		fail("flushed [%td, +%zu) of dst", p - rec.dst, len);
	if (memcmp(p, rec.want + (p - rec.dst), len))
		fail("flushed [%td, +%zu) before it was written",
		     p - rec.dst, len);
	base = (uintptr_t)rec.dst / 64;
	first = (uintptr_t)p / 64;
	last = ((uintptr_t)p + len - 1) / 64;
	for (uintptr_t line = first; line <= last; line++)
		if (rec.seen[line - base]++)
			fail("line %zu flushed twice", (size_t)(line - base));
}

static void record(const unsigned char *dst, const unsigned char *want,
		   size_t len)
{
	rec.dst = dst;
	rec.want = want;
	rec.len = len;
	rec.calls = 0;
	memset(rec.seen, 0, len / 64 + 2);
}

/* Each line of dst was flushed or streamed, and not both. */
static void check_covered(int streams)
{
	uintptr_t base = (uintptr_t)rec.dst / 64;
	uintptr_t first = (uintptr_t)rec.dst;
	uintptr_t end = first + rec.len;

	for (uintptr_t line = base; rec.len && line * 64 < end; line++) {
		int whole = line * 64 >= first && line * 64 + 64 <= end;
		int want = !(streams && whole);

		if (rec.seen[line - base] != want)
			fail("line %zu of %zu: %d flushes, want %d",
			     (size_t)(line - base), rec.len / 64,
			     rec.seen[line - base], want);
	}
}

static struct arch_ops ops;
static const struct arch_stream *stream;

static int pick(const char *name)
{
	arch_init(&ops);
	rec.name = name;
	for (size_t i = 0; i < ops.nstreams; i++)
		if (!strcmp(ops.streams[i].name, name))
			stream = &ops.streams[i];
	if (!stream || !stream->usable) {
		fprintf(stderr, "test_arch: %s skipped: %s\n", name,
			stream ? "this machine cannot run it" :
				 "not built in");
		return 0;
	}
	return 1;
}

static size_t spread(const size_t *list, size_t n, uint32_t i)
{
	return list[i % n];
}

static const size_t src_offsets[] = { 0, 1, 8, 17, 32, 63, 31, 48 };
#define NSRC	(sizeof(src_offsets) / sizeof(src_offsets[0]))

static const size_t long_lens[] = {
	4097, 4159, 4160, 4161, 5000, 8191, 8192, 8193, 12287, 12288, 12353, 16383, 16384,
	16385, 16447, 16448, 16449, 16511, 20479, 20480, 32767, 32768, 32769,
	40000, 49152, 65535, 65536, 65537, 100001, 131072, 262143, 524289,
	1048575, 1048576, 1048577, 1048640, 1064960, 1097792, 1310719,
};
#define NLONG	(sizeof(long_lens) / sizeof(long_lens[0]))

/* Four buffers: what is written, what it should hold, and the source. */
static struct arena dst_arena, src_arena;
static unsigned char *shadow;	/* of dst_arena, at the same offsets */

static void setup(void)
{
	dst_arena = arena_new(ROOM);
	src_arena = arena_new(ROOM);
	shadow = malloc(ROOM);
	scramble(dst_arena.start, ROOM);
	scramble(src_arena.start, ROOM);
	memcpy(shadow, dst_arena.start, ROOM);
}

/* The reference: bytes one by one, in the direction that is right. */
static void byte_move(unsigned char *dst, const unsigned char *src, size_t len)
{
	volatile unsigned char *d = dst;

	if (dst <= src)
		for (size_t i = 0; i < len; i++)
			d[i] = src[i];
	else
		for (size_t i = len; i > 0; i--)
			d[i - 1] = src[i - 1];
}

/* The window that is compared after a call: dst and its guard bytes. */
static void check_window(const unsigned char *dst, size_t len)
{
	size_t at = (size_t)(dst - dst_arena.start);
	size_t before = at < GUARD ? at : GUARD;
	size_t room = (size_t)(dst_arena.end - dst) - len;
	size_t after = room < GUARD ? room : GUARD;
	size_t n = before + len + after;

	if (!memcmp(dst - before, shadow + at - before, n))
		return;
	for (size_t i = 0; i < n; i++)
		if (dst[i - before] != shadow[at + i - before])
			fail("byte %zd is %02x, want %02x",
			     (ssize_t)i - (ssize_t)before, dst[i - before],
			     shadow[at + i - before]);
}

/* So that a byte left out is never right by luck. */
static void poison(unsigned char *dst, const unsigned char *want, size_t len)
{
	for (size_t i = 0; i < len; i++)
		dst[i] = (unsigned char)~want[i];
}

/* Copy from the other arena and judge everything. */
static void try_copy(unsigned char *dst, const unsigned char *src, size_t len)
{
	unsigned char *model = shadow + (dst - dst_arena.start);

	byte_move(model, src, len);
	poison(dst, model, len);
	record(dst, model, len);
	stream->copy(dst, src, len, recording_flush);
	check_window(dst, len);
	check_covered(len >= STREAM_MIN);
}

/* Copy within the arena and judge everything. */
static void try_move(size_t to, size_t from, size_t len)
{
	unsigned char *dst = dst_arena.start + to;

	byte_move(shadow + to, shadow + from, len);
	record(dst, shadow + to, len);
	stream->copy(dst, dst_arena.start + from, len, recording_flush);
	check_window(dst, len);
	check_covered(to != from && len >= STREAM_MIN);
	/* Keep the arena from becoming all alike. */
	for (size_t i = 0; i < len; i += 37) {
		dst[i] = (unsigned char)rnd();
		shadow[to + i] = dst[i];
	}
}

static void try_set(unsigned char *dst, uint32_t pattern, size_t len)
{
	unsigned char *model = shadow + (dst - dst_arena.start);
	unsigned char bytes[4];

	memcpy(bytes, &pattern, 4);
	for (size_t i = 0; i < len; i++)
		model[i] = bytes[i % 4];
	poison(dst, model, len);
	record(dst, model, len);
	stream->set(dst, pattern, len, recording_flush);
	check_window(dst, len);
	check_covered(len >= STREAM_MIN);
}

static void copies_every_short_length(void)
{
	for (size_t len = 0; len <= 4096; len++) {
		size_t step = len <= 520 ? 1 : 13;

		for (size_t d = len % step; d < 64; d += step) {
			size_t s = spread(src_offsets, NSRC, rnd());

			try_copy(dst_arena.start + 256 + d,
				 src_arena.start + 256 + s, len);
			try_copy(dst_arena.start + 256 + d,
				 src_arena.start + 256 + d, len);
		}
	}
}

static void copies_at_every_alignment(void)
{
	static const size_t lens[] = { 64,  128, 200, 255, 256, 257,  319,
				       320, 383, 384, 575, 576, 1024, 4096,
				       20480 + 100 };

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		for (size_t d = 0; d < 64; d++)
			for (size_t s = 0; s < 64; s++)
				try_copy(dst_arena.start + 256 + d,
					 src_arena.start + 256 + s, lens[i]);
}

static void copies_long_lengths(void)
{
	for (size_t i = 0; i < NLONG; i++)
		for (size_t d = 0; d < 64; d += long_lens[i] > 70000 ? 9 : 1)
			try_copy(dst_arena.start + 256 + d,
				 src_arena.start + 256 +
					 spread(src_offsets, NSRC, rnd()),
				 long_lens[i]);
}

/* An over-read or over-write at either end is a SIGSEGV. */
static void copy_keeps_off_guard_pages(void)
{
	for (size_t len = 0; len <= 4096; len++) {
		size_t d = rnd() % 64, s = rnd() % 64;

		try_copy(dst_arena.end - len, src_arena.end - len, len);
		try_copy(dst_arena.end - len, src_arena.start, len);
		try_copy(dst_arena.start, src_arena.start, len);
		try_copy(dst_arena.start, src_arena.end - len, len);
		try_copy(dst_arena.start + 64 + d, src_arena.end - len, len);
		try_copy(dst_arena.end - len, src_arena.start + s, len);
		try_copy(dst_arena.start + 64 + d, src_arena.start, len);
	}
	for (size_t i = 0; i < NLONG; i++) {
		size_t len = long_lens[i];

		try_copy(dst_arena.end - len, src_arena.end - len, len);
		try_copy(dst_arena.start, src_arena.start, len);
		try_copy(dst_arena.start + 64 + rnd() % 64,
			 src_arena.end - len, len);
		try_copy(dst_arena.end - len, src_arena.start + rnd() % 64,
			 len);
	}
}

static void move_both_ways(size_t at, size_t distance, size_t len)
{
	try_move(at, at + distance, len);
	try_move(at + distance, at, len);
}

static void moves_short_overlaps(void)
{
	for (size_t len = 1; len <= 300; len++)
		for (size_t distance = 1; distance <= len + 1; distance++)
			move_both_ways(256 + rnd() % 64, distance, len);
}

static const size_t distances[] = {
	65,   127,  128,  129,	191,  192,   193,   255,   256,	  257,
	319,  320,  321,  511,	512,  513,   1000,  1024,  4031,  4032,
	4033, 4064, 4095, 4096, 4097, 4128,  4160,  8191,  8192,  8193,
	12288, 16320, 16383, 16384, 16385, 16448, 20480, 32768, 65535,
};
#define NDISTANCE (sizeof(distances) / sizeof(distances[0]))

static void moves_overlaps_of_every_kind(void)
{
	static const size_t lens[] = { 256,   257,   320,   383,  384,	511,
				       512,   577,   1000,  1024, 4095, 4096,
				       4097,  16384, 16385, 16639, 32768,
				       70000 };

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		size_t step = lens[i] > 5000 ? 21 : lens[i] > 600 ? 7 : 1;

		for (size_t d = 0; d < 64; d += step) {
			for (size_t near = 1; near <= 64; near++)
				move_both_ways(256 + d, near, lens[i]);
			for (size_t j = 0; j < NDISTANCE; j++)
				move_both_ways(256 + d, distances[j],
					       lens[i]);
		}
	}
}

static void moves_neighbours(void)
{
	for (size_t len = 1; len <= 2048; len++) {
		size_t at = 256 + rnd() % 64;

		move_both_ways(at, len - 1, len);
		move_both_ways(at, len, len);
		move_both_ways(at, len + 1, len);
	}
	for (size_t i = 0; i < NLONG && long_lens[i] < 300000; i++) {
		move_both_ways(256 + rnd() % 64, long_lens[i] - 1,
			       long_lens[i]);
		move_both_ways(256 + rnd() % 64, long_lens[i], long_lens[i]);
	}
}

/* Nothing changes, and all of it is durable after a drain. */
static void move_onto_itself_flushes_all(void)
{
	for (size_t len = 0; len <= 2048; len++)
		try_move(256 + len % 64, 256 + len % 64, len);
	for (size_t i = 0; i < NLONG; i++)
		try_move(256 + i, 256 + i, long_lens[i]);
}

static void move_keeps_off_guard_pages(void)
{
	for (size_t len = 1; len <= 3000; len += len < 600 ? 1 : 7) {
		size_t by = 1 + rnd() % (len < 200 ? 200 : len);

		try_move(0, by, len);
		try_move(by, 0, len);
		try_move(ROOM - len, ROOM - len - by, len);
		try_move(ROOM - len - by, ROOM - len, len);
	}
}

static void sets_every_short_length(void)
{
	for (size_t len = 0; len <= 4096; len++)
		for (size_t d = 0; d < 64; d += len <= 520 ? 1 : 5)
			try_set(dst_arena.start + 256 + d, rnd(), len);
}

static void sets_long_lengths(void)
{
	for (size_t i = 0; i < NLONG; i++)
		for (size_t d = 0; d < 64; d += long_lens[i] > 70000 ? 9 : 1)
			try_set(dst_arena.start + 256 + d, rnd(),
				long_lens[i]);
}

static void set_keeps_off_guard_pages(void)
{
	for (size_t len = 0; len <= 4096; len++) {
		try_set(dst_arena.end - len, rnd(), len);
		try_set(dst_arena.start, rnd(), len);
	}
	for (size_t i = 0; i < NLONG; i++) {
		try_set(dst_arena.end - long_lens[i], rnd(), long_lens[i]);
		try_set(dst_arena.start, rnd(), long_lens[i]);
	}
}

/* A plain memset is a pattern of four equal bytes. */
static void sets_one_byte_value(void)
{
	for (size_t len = 0; len <= 700; len++)
		try_set(dst_arena.start + 256 + len % 64,
			UINT32_C(0x01010101) * (len & 0xff), len);
}

/*
 * errno and the caller's vector state are not tested by value here: the
 * x86-64 file looks at the registers.
 */
#define STREAM_TEST(isa, behaviour)					\
	Test(arch_##isa, behaviour, .timeout = 60)			\
	{								\
		if (!pick(#isa))					\
			cr_skip_test(#isa " cannot run here");		\
		setup();						\
		behaviour();						\
	}

#define STREAM_TESTS(isa)						\
	STREAM_TEST(isa, copies_every_short_length)			\
	STREAM_TEST(isa, copies_at_every_alignment)			\
	STREAM_TEST(isa, copies_long_lengths)				\
	STREAM_TEST(isa, copy_keeps_off_guard_pages)			\
	STREAM_TEST(isa, moves_short_overlaps)				\
	STREAM_TEST(isa, moves_overlaps_of_every_kind)			\
	STREAM_TEST(isa, moves_neighbours)				\
	STREAM_TEST(isa, move_onto_itself_flushes_all)			\
	STREAM_TEST(isa, move_keeps_off_guard_pages)			\
	STREAM_TEST(isa, sets_every_short_length)			\
	STREAM_TEST(isa, sets_long_lengths)				\
	STREAM_TEST(isa, set_keeps_off_guard_pages)			\
	STREAM_TEST(isa, sets_one_byte_value)

STREAM_TESTS(sse2)
STREAM_TESTS(avx2)
STREAM_TESTS(avx512)

Test(arch, says_what_runs_here)
{
	static const char *const names[] = { "clflush", "clflushopt", "clwb" };
	size_t streams = 0, flushes = 0;

	arch_init(&ops);
	for (size_t i = 0; i < ops.nstreams; i++) {
		streams += ops.streams[i].usable;
		if (!ops.streams[i].usable)
			fprintf(stderr, "test_arch: cannot run: %s\n",
				ops.streams[i].name);
	}
	for (size_t i = 0; i < ARCH_FLUSH_COUNT; i++) {
		flushes += ops.flush[i] != NULL;
		if (!ops.flush[i])
			fprintf(stderr, "test_arch: cannot run: %s\n",
				names[i]);
	}
	fprintf(stderr,
		"test_arch: %zu of %zu streams and %zu of %d flushes run here\n",
		streams, ops.nstreams, flushes, ARCH_FLUSH_COUNT);
}

Test(arch, init_is_all_or_nothing)
{
	int can_flush = 0;

	arch_init(&ops);
	for (size_t i = 0; i < ARCH_FLUSH_COUNT; i++)
		can_flush |= ops.flush[i] != NULL;
	cr_assert_eq(can_flush, ops.drain != NULL,
		     "a flush is worth nothing without a drain");
	if (!ops.drain)
		cr_assert_null(ops.stream);
	if (ops.stream) {
		cr_assert(ops.stream->usable);
		cr_assert_not_null(ops.stream->copy);
		cr_assert_not_null(ops.stream->set);
		ops.drain();
	}
}

Test(arch, init_takes_the_best_stream)
{
	const struct arch_stream *best = NULL;

	arch_init(&ops);
	for (size_t i = 0; i < ops.nstreams; i++)
		if (ops.streams[i].usable)
			best = &ops.streams[i];
	cr_assert_eq(ops.stream, best);
}
