/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guarded_clflushopt.c: as flush_clflushopt.c, for memory that may be withdrawn.
 */
#include "guarded.h"
#include "kernels.h"

GUARDED_TRY(clflushopt, "clflushopt")

bool guarded_clflushopt(const void *addr, size_t len, const _Atomic uint64_t *epoch,
		 uint64_t expected)
{
	return guarded_each(guarded_try_clflushopt, flush_clflushopt, addr, len, epoch,
			    expected);
}
