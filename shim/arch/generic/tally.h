/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tally.h: counters that one thread at a time changes. See shim/arch/tally.h.
 */
#ifndef PMEMSHIM_GENERIC_TALLY_H
#define PMEMSHIM_GENERIC_TALLY_H

#include <stdint.h>

static inline void tally_alone(uint64_t *counter, uint64_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static inline uint64_t tally_next_alone(uint64_t *counter)
{
	return __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

#endif
