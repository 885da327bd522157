/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guarded_clflush.c: as flush_clflush.c, for memory that may be withdrawn.
 */
#include "guarded.h"
#include "kernels.h"

GUARDED_TRY(clflush, "clflush")

bool guarded_clflush(const void *addr, size_t len, const _Atomic uint64_t *epoch,
		 uint64_t expected)
{
	return guarded_each(guarded_try_clflush, flush_clflush, addr, len, epoch,
			    expected);
}
