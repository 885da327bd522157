/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every copying and setting function: lengths 0 to 4096 and around each
 * threshold, both ends at pages that nobody may touch, overlap both ways; with
 * T_ALIGNMENTS a copy and a set of each of these lengths at each alignment. What is written, what is returned, what lies beside it, the
 * direction flag and the upper vector registers are looked at after each call.
 */
#include <cpuid.h>

#include "t_preload.h"

void __bzero(void *, size_t);
void *__memcpy_chk(void *, const void *, size_t, size_t);
void *__memmove_chk(void *, const void *, size_t, size_t);
void *__mempcpy_chk(void *, const void *, size_t, size_t);
void *__memset_chk(void *, int, size_t, size_t);
void __explicit_bzero_chk(void *, size_t, size_t);
wchar_t *__wmemcpy_chk(wchar_t *, const wchar_t *, size_t, size_t);
wchar_t *__wmemmove_chk(wchar_t *, const wchar_t *, size_t, size_t);
wchar_t *__wmempcpy_chk(wchar_t *, const wchar_t *, size_t, size_t);
wchar_t *__wmemset_chk(wchar_t *, wchar_t, size_t, size_t);

#define ROOM	((size_t)(5 << 18) + 16 * T_PAGE)
#define BESIDE	((size_t)128)
#define W(p)	((wchar_t *)(void *)(p))
#define WIDE	sizeof(wchar_t)
#define VOID(call) ((call), (void *)0)

enum { DST, END, NOTHING };

static const struct function {
	const char *name;
	void *(*call)(char *d, const char *s, size_t n);
	int returns;
	size_t unit;
	int moves;	/* overlap is defined */
	int fill;	/* -1: a copy */
} functions[];

#define FN(name, expression)						\
	static void *call_##name(char *d, const char *s, size_t n)	\
	{								\
		(void)s, (void)n;					\
		return expression;					\
	}
FN(memcpy, memcpy(d, s, n))
FN(memmove, memmove(d, s, n))
FN(mempcpy, mempcpy(d, s, n))
FN(__mempcpy, __mempcpy(d, s, n))
FN(bcopy, VOID(bcopy(s, d, n)))
FN(wmemcpy, wmemcpy(W(d), W(s), n / WIDE))
FN(wmemmove, wmemmove(W(d), W(s), n / WIDE))
FN(wmempcpy, wmempcpy(W(d), W(s), n / WIDE))
FN(__memcpy_chk, __memcpy_chk(d, s, n, n))
FN(__memmove_chk, __memmove_chk(d, s, n, ROOM))
FN(__mempcpy_chk, __mempcpy_chk(d, s, n, n))
FN(__wmemcpy_chk, __wmemcpy_chk(W(d), W(s), n / WIDE, n / WIDE))
FN(__wmemmove_chk, __wmemmove_chk(W(d), W(s), n / WIDE, ROOM))
FN(__wmempcpy_chk, __wmempcpy_chk(W(d), W(s), n / WIDE, n / WIDE))
/* cppcheck-suppress memsetValueOutOfRange */
FN(memset, memset(d, 0x1a5, n))
FN(bzero, VOID(bzero(d, n)))
FN(__bzero, VOID(__bzero(d, n)))
FN(explicit_bzero, VOID(explicit_bzero(d, n)))
FN(wmemset, wmemset(W(d), 0x5b5b5b5b, n / WIDE))
FN(__memset_chk, __memset_chk(d, -2, n, n))
FN(__explicit_bzero_chk, VOID(__explicit_bzero_chk(d, n, n)))
FN(__wmemset_chk, __wmemset_chk(W(d), -1, n / WIDE, n / WIDE))

#define ROW(name, ...) { #name, call_##name, __VA_ARGS__ }
static const struct function functions[] = {
	ROW(memcpy, DST, 1, 1, -1), ROW(memmove, DST, 1, 1, -1),
	ROW(mempcpy, END, 1, 0, -1), ROW(__mempcpy, END, 1, 0, -1),
	ROW(bcopy, NOTHING, 1, 1, -1), ROW(wmemcpy, DST, WIDE, 0, -1),
	ROW(wmemmove, DST, WIDE, 1, -1), ROW(wmempcpy, END, WIDE, 0, -1),
	ROW(__memcpy_chk, DST, 1, 0, -1), ROW(__memmove_chk, DST, 1, 1, -1),
	ROW(__mempcpy_chk, END, 1, 0, -1), ROW(__wmemcpy_chk, DST, WIDE, 0, -1),
	ROW(__wmemmove_chk, DST, WIDE, 1, -1),
	ROW(__wmempcpy_chk, END, WIDE, 0, -1),
	ROW(memset, DST, 1, 0, 0xa5), ROW(bzero, NOTHING, 1, 0, 0),
	ROW(__bzero, NOTHING, 1, 0, 0), ROW(explicit_bzero, NOTHING, 1, 0, 0),
	ROW(wmemset, DST, WIDE, 0, 0x5b), ROW(__memset_chk, DST, 1, 0, 0xfe),
	ROW(__explicit_bzero_chk, NOTHING, 1, 0, 0),
	ROW(__wmemset_chk, DST, WIDE, 0, 0xff),
};
#define NFUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static char *dst, *dst_end;	/* the mapping, between guard pages */
static char *src, *src_end;	/* anonymous memory, the same */
static char *shadow;		/* what dst should hold */
static const char *isa;
static unsigned long calls, wrong;
static int can_see_upper;

static unsigned int seed = 12345;

static size_t rnd(size_t below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % below;
}

static void complain(const struct function *f, const char *d, size_t n,
		     const char *what)
{
	if (wrong++ < 10)
		printf("%s, %s, length %zu, destination at %td: %s\n", isa,
		       f->name, n, d - dst, what);
}

/* By the word, in this order: overlap goes through a copy of the source. */
static void model(const struct function *f, char *d, const char *s, size_t n)
{
	static char kept[ROOM];

	if (f->fill >= 0) {
		for (size_t i = 0; i < n; i++)
			d[i] = (char)f->fill;
		return;
	}
	for (size_t i = 0; i < n; i++)
		kept[i] = s[i];
	for (size_t i = 0; i < n; i++)
		d[i] = kept[i];
}

static const struct function *function_of(void *(*call)(char *, const char *,
							size_t))
{
	const struct function *f = functions;

	while (f->call != call)
		f++;
	return f;
}

#define DIRECTION	(1ul << 10)
#define UPPER		(1u << 2 | 1u << 6)

static unsigned long flags_now(void)
{
	unsigned long flags;

	__asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\tpopq %0\n\t"
			 "lea 128(%%rsp), %%rsp" : "=r"(flags) : : "memory");
	return flags;
}

/* Intel SDM Vol. 1, 13.6: XINUSE. */
static unsigned int upper_in_use(void)
{
	unsigned int low, high;

	if (!can_see_upper)
		return 0;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
	return low & UPPER;
}

static int neighbours_are_intact(const char *d, size_t n)
{
	size_t at = (size_t)(d - dst), room = (size_t)(dst_end - d) - n;
	size_t before = at < BESIDE ? at : BESIDE;
	size_t after = room < BESIDE ? room : BESIDE;

	return !memcmp(d - before, shadow + at - before, before + n + after);
}

/* s: in the source, or in the mapping itself. */
static void try(const struct function *f, char *d, const char *s, size_t n)
{
	unsigned int upper;
	unsigned long flags;
	void *result;

	n -= n % f->unit;
	model(f, shadow + (d - dst),
	      s >= dst && s < dst_end ? shadow + (s - dst) : s, n);
	result = f->call(d, s, n);
	upper = upper_in_use();
	flags = flags_now();
	calls++;
	if (f->returns != NOTHING && result != (f->returns == END ? d + n : d))
		complain(f, d, n, "returns something else");
	if (!neighbours_are_intact(d, n))
		complain(f, d, n, "other bytes");
	if (flags & DIRECTION)
		complain(f, d, n, "the direction flag is set");
	if (upper)
		complain(f, d, n, "the upper registers are in use");
}

static char *at_end(char *end, size_t n, size_t unit)
{
	return end - (n - n % unit);
}

static void try_length(const struct function *f, size_t n, int alignments)
{
	try(f, at_end(dst_end, n, f->unit), at_end(src_end, n, f->unit), n);
	try(f, dst, src, n);
	try(f, dst, at_end(src_end, n, f->unit), n);
	try(f, at_end(dst_end, n, f->unit), src, n);
	for (int i = 0; i < alignments; i++)
		try(f, dst + BESIDE + rnd(64) / f->unit * f->unit,
		    src + rnd(8000) / f->unit * f->unit, n);
}

static void try_overlap(const struct function *f, size_t n)
{
	static const size_t distances[] = { 4, 8, 60, 64, 68, 128, 256, 1024,
					    4096, 4160, 16384 };
	size_t at = BESIDE + rnd(64) / f->unit * f->unit;

	for (size_t i = 0; i < sizeof(distances) / sizeof(distances[0]); i++) {
		try(f, dst + at, dst + at + distances[i], n);
		try(f, dst + at + distances[i], dst + at, n);
	}
	try(f, dst + at, dst + at, n);
	try(f, dst + at, dst + at + 1 + rnd(n + 1), f->unit == 1 ? n : 0);
	try(f, dst + at + 1 + rnd(n + 1), dst + at, f->unit == 1 ? n : 0);
}

/* Where the shim or a kernel of it takes another way. */
static const size_t thresholds[] = {
	1024, 256, 320, 1536, 1600, 1664, 4096, 12288, 12352, 12416, 16384,
	1 << 20, (1 << 20) + 128, (1 << 20) + 32768,
};

static void try_function(const struct function *f)
{
	size_t step = f - functions == 1 || !strcmp(f->name, "memset") ? 1 : 7;

	for (size_t n = (size_t)(f - functions) % step; n <= 4096; n += step) {
		try_length(f, n, 3);
		if (f->moves && n % 5 == 0)
			try_overlap(f, n);
	}
	for (size_t i = 0; i < sizeof(thresholds) / sizeof(thresholds[0]); i++)
		for (size_t n = thresholds[i] - 2; n <= thresholds[i] + 2; n++)
			try_length(f, n, 1);
	if (f->moves)
		try_overlap(f, 70000);
}

/* Each length at each alignment; the source's goes through all of them, too. */
static void try_all(const struct function *f)
{
	for (size_t n = 0; n <= 4096; n++)
		for (size_t d = 0; d < 64; d++)
			try(f, dst + BESIDE + d,
			    src + BESIDE + (d * 5 + n * 7) % 64, n);
}

/* All 64 alignments of one with all of the other. */
static void try_alignments(const struct function *f, size_t n)
{
	for (size_t d = 0; d < 64; d++)
		for (size_t s = 0; s < 64; s++)
			try(f, dst + BESIDE + d, src + BESIDE + s, n);
}

/* Hand-written callers forget to align the stack, and libc does not mind. */
static void call_misaligned(const struct function *f, char *d, const char *s,
			    size_t n)
{
	void *fn = f->call == call_memset ? (void *)memset : (void *)memcpy;

	/* Saved where the call leaves it alone. */
	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "subq $256, %%rsp\n\tandq $-16, %%rsp\n\t"
			 "subq $8, %%rsp\n\t"
			 "call *%[fn]\n\t"
			 "movq %%rbx, %%rsp"
			 : "+D"(d), "+S"(s), "+d"(n), [fn] "+a"(fn)
			 :
			 : "rbx", "rcx", "r8", "r9", "r10", "r11", "memory",
			   "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
			   "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
			   "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	calls++;
}

static void try_misaligned(void)
{
	const struct function *set = function_of(call_memset);
	static const size_t lengths[] = { 1, 100, 255, 256, 1024, 5000, 70000 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		call_misaligned(&functions[0], dst + 3, src, lengths[i]);
		/* over itself */
		call_misaligned(&functions[0], dst + 3, dst + 70, lengths[i]);
		call_misaligned(set, dst + 3, (char *)5, lengths[i]);
	}
	printf("a misaligned stack is right\n");
}

static char *between_guards(int fd)
{
	char *p = mmap(NULL, ROOM + 2 * T_PAGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + T_PAGE;

	T_REQUIRE(mmap(p, ROOM, T_RW,
		       MAP_FIXED | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS
					   : MAP_SHARED), fd, 0) == p);
	return p;
}

static void set_up(void)
{
	unsigned int a = 0, b, c, d;

	isa = getenv("T_ISA") ? getenv("T_ISA") : "any";
	can_see_upper = __get_cpuid(1, &a, &b, &c, &d) && c & bit_OSXSAVE &&
			__get_cpuid_count(13, 1, &a, &b, &c, &d) && a & 4;
	dst = between_guards(t_open("data", ROOM));
	dst_end = dst + ROOM;
	src = between_guards(-1);
	src_end = src + ROOM;
	shadow = malloc(ROOM);
	for (size_t i = 0; i < ROOM; i++) {
		src[i] = (char)(i * 7 + i / 251 + (i >> 13));
		shadow[i] = dst[i] = (char)(i * 3);
	}
}

int main(void)
{
	set_up();
	for (size_t i = 0; i < NFUNCTIONS; i++)
		try_function(&functions[i]);
	if (getenv("T_ALIGNMENTS")) {
		try_all(&functions[0]);
		try_all(function_of(call_memset));
	}
	try_alignments(&functions[1], 1024);
	try_alignments(&functions[1], 1700);
	try_misaligned();
	printf("%lu calls, %lu wrong\n", calls, wrong);
	return wrong > 0;
}
