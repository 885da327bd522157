/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stand-ins are right, and binding replaces every one of them.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "shim/real.h"

Test(real, no_pointer_is_null_before_binding)
{
#define SYMBOL(result, name, parameters, next) \
	cr_assert_not_null((void *)real.name, #name);
#include "shim/symbols.def"
#undef SYMBOL
}

Test(real, binding_replaces_every_stand_in)
{
	struct real before = real;

	real_bind();
#define SYMBOL(result, name, parameters, next) \
	cr_assert_neq((void *)real.name, (void *)before.name, #name);
#include "shim/symbols.def"
#undef SYMBOL
}

Test(real, memcpy_is_one_that_tolerates_overlap)
{
	real_bind();
	cr_assert_eq(real.memcpy, real.memmove);
}

Test(real, stand_in_copies_tolerate_overlap_both_ways)
{
	char a[32] = "0123456789abcdef", b[32] = "0123456789abcdef";

	cr_assert_eq(real.memcpy(a + 3, a, 10), a + 3);
	cr_assert_arr_eq(a, "0120123456789def", 16);
	cr_assert_eq(real.memmove(b, b + 3, 10), b);
	cr_assert_arr_eq(b, "3456789abcabcdef", 16);
	cr_assert_eq(real.mempcpy(b, "xy", 2), b + 2);
	real.bcopy("zz", b, 2);
	cr_assert_arr_eq(b, "zz56", 4);
}

Test(real, stand_in_sets_fill)
{
	char a[4] = "abc";
	wchar_t w[3] = { 1, 2, 3 };

	cr_assert_eq(real.memset(a, 0x141, 2), a);
	cr_assert_arr_eq(a, "AAc", 3);
	real.bzero(a, 1);
	real.explicit_bzero(a + 1, 1);
	cr_assert_arr_eq(a, "\0\0c", 3);
	cr_assert_eq(real.wmemset(w, 9, 2), w);
	cr_assert_eq(w[1], 9);
	cr_assert_eq(w[2], 3);
	cr_assert_eq(real.wmempcpy(w, w + 2, 1), w + 1);
	cr_assert_eq(w[0], 3);
}

Test(real, stand_in_mapping_calls_reach_the_kernel)
{
	char *p = real.mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(p, MAP_FAILED);
	p[0] = 1;
	cr_assert_eq(real.mprotect(p, 4096, PROT_READ), 0);
	cr_assert_eq(real.msync(p, 4096, MS_SYNC), 0);
	p = real.mremap(p, 4096, 8192, MREMAP_MAYMOVE, NULL);
	cr_assert_neq(p, MAP_FAILED);
	cr_assert_eq(p[0], 1);
	cr_assert_eq(real.munmap(p, 8192), 0);
	cr_assert_eq(real.munmap(p + 1, 1), -1);
}

Test(real, stand_ins_of_rare_calls_reach_the_kernel)
{
	char *p = real.mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_eq(real.pkey_mprotect(p, 4096, PROT_READ, -1), 0);
	cr_assert_eq(real.pkey_mprotect(p, 4096, PROT_READ, 15), -1);
	cr_assert_eq(real.madvise(p, 4096, MADV_NORMAL), 0);
	cr_assert_eq(real.mlock2(p, 4096, 0), 0);
	cr_assert_eq(real.mlock2(p, 4096, 1024), -1);
	cr_assert_eq(real.mlockall(1024), -1);
	cr_assert_eq(real.shmat(-1, NULL, 0), (void *)-1);
	cr_assert_eq(real.remap_file_pages(p, 4096, 0, 0, 0), -1);
}

Test(real, an_overflow_before_binding_ends_the_program, .signal = SIGABRT)
{
	char a[4];

	real.__memcpy_chk(a, "12345", 5, 4);
}
