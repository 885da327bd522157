/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tally.h: picks the folder whose counters a process with one thread uses:
 *
 *	tally_alone(counter, n)		*counter += n
 *	tally_next_alone(counter)	the same with 1; what it was before
 *
 * Each is indivisible for the thread itself: a signal handler that counts in
 * between is not lost. It need not be for other threads; there the locked
 * operations take twenty cycles each, here they are nearly free.
 */
#ifndef PMEMSHIM_TALLY_H
#define PMEMSHIM_TALLY_H

#ifdef __x86_64__
#include "shim/arch/x86_64/tally.h"
#else
#include "shim/arch/generic/tally.h"
#endif

#endif
