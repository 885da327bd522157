/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * forms.c: does the observer see everything? No msync here: an operation stores
 * in one of the ways that a processor has, flushes by one of the encodings of
 * an address, fences, and takes that for durable, which it is in a mapping with
 * MAP_SYNC. A form that the observer misreads is a loss.
 */
#define _GNU_SOURCE
#include "own.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SLOTS = 512, SLOT = 2 * OWN_PAGE, LEN = 64 };

/* Each gets the address of a slot; what it flushes is that line. */
#define FLUSH(name, text)						\
	static void name(char *p)					\
	{								\
		__asm__ volatile(text : : "r"(p) : "rax", "rbx", "rcx",	\
				 "rdx", "r12", "r13", "memory");	\
	}

FLUSH(flush_base, "clwb (%0)")
FLUSH(flush_opt, "clflushopt (%0)")
FLUSH(flush_old, "clflush (%0)")
FLUSH(flush_rax, "mov %0, %%rax; clwb (%%rax)")
FLUSH(flush_disp8, "lea -24(%0), %%rbx; clwb 24(%%rbx)")
FLUSH(flush_negative, "lea 24(%0), %%rbx; clwb -24(%%rbx)")
FLUSH(flush_disp32, "lea -4096(%0), %%rcx; clwb 4096(%%rcx)")
FLUSH(flush_index, "mov $8, %%rdx; lea -64(%0), %%rcx; clwb (%%rcx, %%rdx, 8)")
FLUSH(flush_index_disp, "mov $3, %%rdx; lea -20(%0), %%rcx; "
			"clflushopt 8(%%rcx, %%rdx, 4)")
FLUSH(flush_no_base, "lea -4096(%0), %%rdx; clwb 4096(, %%rdx, 1)")
FLUSH(flush_r12, "mov %0, %%r12; clwb (%%r12)")
FLUSH(flush_r13, "mov %0, %%r13; clflushopt (%%r13)")
FLUSH(flush_r13_index, "mov %0, %%r12; xor %%r13d, %%r13d; "
		       "clwb (%%r13, %%r12, 1)")
FLUSH(flush_r12_index, "mov %0, %%rbx; xor %%r12d, %%r12d; "
		       "clwb 0(%%rbx, %%r12, 2)")
FLUSH(flush_segment, "clwb %%ds:(%0)")
FLUSH(flush_address32, "mov %0, %%rax; clwb (%%eax)")

static void (*const flushes[])(char *) = {
	flush_base, flush_opt, flush_old, flush_rax, flush_disp8,
	flush_negative, flush_disp32, flush_index, flush_index_disp,
	flush_no_base, flush_r12, flush_r13, flush_r13_index,
	flush_r12_index, flush_segment, flush_address32,
};

#define STORE(name, text)						\
	static void name(char *p, const char *from)			\
	{								\
		__asm__ volatile(text : : "r"(p), "r"(from) : "rax",	\
				 "rbx", "rcx", "rdx", "rsi", "rdi",	\
				 "xmm0", "mm0", "cc", "memory");	\
	}

STORE(store_plain, "mov (%1), %%rax; mov %%rax, (%0)")
STORE(store_bytes, "mov %0, %%rdi; mov %1, %%rsi; mov $64, %%ecx; rep movsb")
STORE(store_quads, "mov %0, %%rdi; mov %1, %%rsi; mov $8, %%ecx; rep movsq")
STORE(store_vector, "vmovdqu (%1), %%ymm0; vmovdqu %%ymm0, (%0); vzeroupper")
STORE(store_xchg, "mov (%1), %%rax; xchg %%rax, (%0)")
STORE(store_add, "mov (%1), %%rax; sub (%0), %%rax; lock add %%rax, (%0)")
STORE(store_cmpxchg, "mov (%0), %%rax; mov (%1), %%rcx; "
		     "lock cmpxchg %%rcx, (%0)")
STORE(store_cmpxchg16b,
      "mov %0, %%rdi; mov %1, %%rsi; mov (%%rdi), %%rax; mov 8(%%rdi), %%rdx; "
      "mov (%%rsi), %%rbx; mov 8(%%rsi), %%rcx; lock cmpxchg16b (%%rdi)")
STORE(store_push, "mov %%rsp, %%rdx; lea 8(%0), %%rsp; push (%1); "
		  "mov %%rdx, %%rsp")

static void (*const stores[])(char *, const char *) = {
	store_plain, store_bytes, store_quads, store_vector, store_xchg,
	store_add, store_cmpxchg, store_cmpxchg16b, store_push,
};

STORE(stream_quad, "mov (%1), %%rax; movnti %%rax, (%0)")
STORE(stream_long, "mov (%1), %%eax; movnti %%eax, (%0); "
		   "mov 4(%1), %%eax; movnti %%eax, 4(%0)")
STORE(stream_dq, "movdqu (%1), %%xmm0; movntdq %%xmm0, (%0)")
STORE(stream_ps, "movups (%1), %%xmm0; movntps %%xmm0, (%0)")
STORE(stream_pd, "movupd (%1), %%xmm0; movntpd %%xmm0, (%0)")
STORE(stream_q, "movq (%1), %%mm0; movntq %%mm0, (%0); emms")
STORE(stream_ymm, "vmovdqu (%1), %%ymm0; vmovntdq %%ymm0, (%0); vzeroupper")
STORE(stream_ymm_ps, "vmovups (%1), %%ymm0; vmovntps %%ymm0, (%0); vzeroupper")

static void (*const streams[])(char *, const char *) = {
	stream_quad, stream_long, stream_dq, stream_ps, stream_pd, stream_q,
	stream_ymm, stream_ymm_ps,
};

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static char *map;

static size_t place(uint64_t op)
{
	return (size_t)(op % SLOTS) * SLOT + OWN_PAGE;
}

static void source(char *to, uint64_t op)
{
	memset(to, (int)(op % 251 + 1), LEN);
}

static void fence(uint64_t op)
{
	if (op % 2)
		__asm__ volatile("sfence" : : : "memory");
	else
		__asm__ volatile("mfence" : : : "memory");
}

/* Every third operation streams, every seventh stores across two pages. */
static void operate(uint64_t op)
{
	char *p = map + place(op), from[LEN];

	source(from, op);
	if (op % 3 == 0) {
		streams[op / 3 % COUNT(streams)](p, from);
	} else if (op % 7 == 0) {
		memcpy(p - 4, from, 8);
		flushes[0](p - 64);
		flushes[op % COUNT(flushes)](p);
	} else {
		stores[op % COUNT(stores)](p, from);
		flushes[op % COUNT(flushes)](p);
	}
	fence(op);
}

/* Below 4 GiB, for addresses of 32 bits. */
static void map_file(const char *dir)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/forms", dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	own_must(fd >= 0 && ftruncate(fd, SLOTS * SLOT) == 0, path);
	map = mmap(NULL, SLOTS * SLOT, PROT_READ | PROT_WRITE,
		   MAP_SHARED_VALIDATE | MAP_SYNC | MAP_32BIT, fd, 0);
	own_must(map != MAP_FAILED, "mmap");
	memset(map, 0, SLOTS * SLOT);
	own_must(msync(map, SLOTS * SLOT, MS_SYNC) == 0, "msync");
	/* The first store to a page faults, and what it commits flushes. */
	for (size_t i = 0; i < SLOTS * SLOT; i += OWN_PAGE)
		((volatile char *)map)[i] = 0;
}

static void run(const char *dir, uint64_t seed, uint64_t ops)
{
	(void)seed;
	map_file(dir);
	for (uint64_t op = 1; op <= ops && op < SLOTS; op++) {
		mark_intent(op, 0);
		operate(op);
		mark_ack(op, 0);
	}
}

static const char *check(const char *dir, uint64_t seed,
			 const struct own_bounds *bounds)
{
	size_t len = 0;
	char *data = own_read(dir, "forms", &len), want[LEN];

	(void)seed;
	if (bounds->acked == 0)
		return NULL;
	if (!data || len < SLOTS * SLOT)
		return own_say("the file has %zu bytes", len);
	for (uint64_t op = 1; op <= bounds->acked; op++) {
		size_t at = place(op) - (op % 3 && op % 7 == 0 ? 4 : 0);

		source(want, op);
		if (memcmp(data + at, want, 8) != 0)
			return own_say("operation %llu is not there: %s form %llu",
				       (unsigned long long)op,
				       op % 3 ? "flush" : "stream",
				       (unsigned long long)(op % 3 ?
						op % COUNT(flushes) :
						op / 3 % COUNT(streams)));
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct own_program program = { run, check };

	return own_main(&program, argc, argv);
}
