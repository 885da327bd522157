/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * own.c: a range that nobody else is known to use.
 *
 * Design: 16 TiB from 64 TiB up lie between the program with its heap (0x55...)
 * and the places that allocators and databases ask for by name (below 0x3...),
 * and outside the shadow and heap of the address and thread sanitizers. The
 * start within is random, as the kernel's own choice would be: an attacker
 * learns no address from us.
 */
#include "shim/own.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "shim/sys.h"

#define OWN_START	((uintptr_t)0x400000000000)
#define OWN_MASK	((uintptr_t)0x0fffc0000000)	/* whole GiB, 14 bits ... */
#define OWN_PAGES	((uintptr_t)0x00003ffff000)	/* ... and pages in it */

static _Atomic uintptr_t next;

/* The kernel gave the program 16 random bytes; libc uses the first nine. */
static uintptr_t random_start(void)
{
	const unsigned char *bytes = (const unsigned char *)getauxval(AT_RANDOM);
	uintptr_t random = 0;

	for (int i = 12; bytes && i < 16; i++)
		random = random << 8 | bytes[i];
	random *= (uintptr_t)0x9e3779b97f4a7c15;
	random ^= random >> 32;
	return OWN_START + (random & (OWN_MASK | OWN_PAGES));
}

void *own_place(size_t len)
{
	uintptr_t unset = 0;

	if (atomic_load_explicit(&next, memory_order_relaxed) == 0)
		atomic_compare_exchange_strong_explicit(
			&next, &unset, random_start(), memory_order_relaxed,
			memory_order_relaxed);
	return (void *)atomic_fetch_add_explicit(&next, len,
						 memory_order_relaxed);
}

void *own_pages(size_t len)
{
	return sys_mmap(own_place(len), len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
