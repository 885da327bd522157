/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guarded_clwb.c: as flush_clwb.c, for memory that may be withdrawn.
 */
#include "guarded.h"
#include "kernels.h"

GUARDED_TRY(clwb, "clwb")

bool guarded_clwb(const void *addr, size_t len, const _Atomic uint64_t *epoch,
		 uint64_t expected)
{
	return guarded_each(guarded_try_clwb, flush_clwb, addr, len, epoch,
			    expected);
}
