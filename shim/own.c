/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * own.c: two ranges that nobody else is known to use.
 *
 * Design: 16 TiB from 64 TiB up lie between the program with its heap (0x55...)
 * and the places that allocators and databases ask for by name (below 0x3...),
 * and outside the shadow and heap of the address and thread sanitizers. The
 * first half is the shim's own, the second one for mappings of the program.
 * The starts within are random, as the kernel's own choice would be: an
 * attacker learns no address from us.
 */
#include "shim/own.h"

#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "shim/sys.h"

#define HALF		((uintptr_t)0x080000000000)
#define OWN_START	((uintptr_t)0x400000000000)
#define PROGRAM_START	(OWN_START + HALF)
#define OWN_MASK	((uintptr_t)0x07ffc0000000)	/* whole GiB, 13 bits ... */
#define OWN_PAGES	((uintptr_t)0x00003ffff000)	/* ... and pages in it */

static _Atomic uintptr_t next, next_program;

/* The kernel gave the program 16 random bytes; libc uses the first nine. */
static uintptr_t random_offset(uintptr_t multiplier)
{
	const unsigned char *bytes = (const unsigned char *)getauxval(AT_RANDOM);
	uintptr_t random = 0;

	for (int i = 12; bytes && i < 16; i++)
		random = random << 8 | bytes[i];
	random *= multiplier;
	random ^= random >> 32;
	return random & (OWN_MASK | OWN_PAGES);
}

/* The next len bytes from *at on, which starts at a random place. */
static uintptr_t take(_Atomic uintptr_t *at, uintptr_t start,
		      uintptr_t multiplier, size_t len)
{
	uintptr_t unset = 0;

	if (atomic_load_explicit(at, memory_order_relaxed) == 0)
		atomic_compare_exchange_strong_explicit(
			at, &unset, start + random_offset(multiplier),
			memory_order_relaxed, memory_order_relaxed);
	return atomic_fetch_add_explicit(at, len, memory_order_relaxed);
}

void *own_place(size_t len)
{
	return (void *)take(&next, OWN_START, (uintptr_t)0x9e3779b97f4a7c15,
			    len);
}

uintptr_t own_program_place(size_t len)
{
	uintptr_t place = take(&next_program, PROGRAM_START,
			       (uintptr_t)0xd1342543de82ef95, len);

	/* Round and round. */
	return PROGRAM_START + (place - PROGRAM_START) % HALF;
}

void *own_pages(size_t len)
{
	return sys_mmap(own_place(len), len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
