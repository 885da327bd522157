/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/t_arch.h"

#include <stdlib.h>
#include <string.h>

static uintptr_t lines[1 << 18];
static size_t nlines, streamed;
/* The stress test drains from many threads, and flushes nothing. */
static _Atomic size_t ndrains, last_drain_after;

static void record_flush(const void *addr, size_t len)
{
	uintptr_t line = (uintptr_t)addr & ~(ARCH_LINE - 1);

	for (; len && line < (uintptr_t)addr + len; line += ARCH_LINE) {
		if (nlines == sizeof(lines) / sizeof(lines[0]))
			abort();
		lines[nlines++] = line;
	}
}

static bool record_guarded(const void *addr, size_t len,
			   const _Atomic uint64_t *epoch, uint64_t expected)
{
	if (*epoch != expected)
		return false;
	record_flush(addr, len);
	return true;
}

static void record_drain(void)
{
	ndrains++;
	last_drain_after = nlines;
}

static void record_copy(void *dst, const void *src, size_t len,
			arch_flush_fn flush)
{
	memmove(dst, src, len);
	streamed += len;
	flush(dst, len);
}

static void record_set(void *dst, uint32_t pattern, size_t len,
		       arch_flush_fn flush)
{
	for (size_t i = 0; i < len; i++)
		((unsigned char *)dst)[i] = ((unsigned char *)&pattern)[i % 4];
	streamed += len;
	flush(dst, len);
}

static const struct arch_stream stream = {
	.name = "recording", .copy = record_copy, .set = record_set,
	.usable = true,
};

const struct arch_ops t_arch_ops = {
	.flush = { record_flush, record_flush, record_flush },
	.guarded = { record_guarded, record_guarded, record_guarded },
	.drain = record_drain,
	.streams = &stream,
	.nstreams = 1,
	.stream = &stream,
};

void t_arch_reset(void)
{
	nlines = streamed = 0;
	ndrains = last_drain_after = 0;
}

size_t t_arch_flushes(void)
{
	return nlines;
}

size_t t_arch_drains(void)
{
	return ndrains;
}

size_t t_arch_streamed(void)
{
	return streamed;
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return (x > y) - (x < y);
}

bool t_arch_persisted_once(const void *addr, size_t len)
{
	uintptr_t line = (uintptr_t)addr & ~(ARCH_LINE - 1);
	size_t n = 0;

	qsort(lines, nlines, sizeof(lines[0]), by_address);
	for (; len && line < (uintptr_t)addr + len; line += ARCH_LINE)
		if (n == nlines || lines[n++] != line)
			return false;
	return n == nlines && ndrains == 1 && last_drain_after == nlines;
}
