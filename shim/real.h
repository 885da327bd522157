/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * real.h: the functions that the interposed ones stand in front of.
 *
 * Design: no pointer is ever NULL. Until real_bind has run they are stand-ins
 * (byte loops, raw system calls), because constructors of other libraries
 * call interposed functions first and dlsym there can deadlock an allocator
 * that itself maps memory.
 */
#ifndef PMEMSHIM_REAL_H
#define PMEMSHIM_REAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "shim/compiler.h"

struct real {
#define SYMBOL(result, name, parameters, next) result (*name) parameters;
#include "shim/symbols.def"
#undef SYMBOL
};

extern HIDDEN struct real real;

/*
 * clock_gettime, by libc and without a system call, unless another preloaded
 * library (libfaketime) has put its own in front of it: then by system call.
 */
extern HIDDEN int (*real_clock)(clockid_t clock, struct timespec *now);

/* The same in nanoseconds; 1 when the clock cannot be read. */
static inline uint64_t real_ns(clockid_t clock)
{
	struct timespec t;

	if (real_clock(clock, &t))
		return 1;
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/*
 * Replace the stand-ins by the next definition of each symbol. A symbol that
 * this libc lacks keeps its stand-in, and one line of information is logged.
 * Call once, from the constructor; not signal-safe.
 */
void real_bind(void);

#endif
