/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compiler.h: what the C compiler is told beyond C11.
 */
#ifndef PMEMSHIM_COMPILER_H
#define PMEMSHIM_COMPILER_H

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

/* Visible to the host program; everything else is hidden by -fvisibility. */
#define EXPORTED	__attribute__((visibility("default")))

/* For a variable on a hot path: found without the global offset table. */
#define HIDDEN		__attribute__((visibility("hidden")))

/* Keeps a rare path out of the code around a hot one. */
#define COLD		__attribute__((noinline, cold))

/* Keeps a large path out of a small one, without calling it rare. */
#define NOINLINE	__attribute__((noinline))

/* For a function whose first instructions shall come in one fetch. */
#define LINE_ALIGNED	__attribute__((aligned(64)))

/* For a loop whose bounds must be constants where it is used. */
#define ALWAYS_INLINE	__attribute__((always_inline))

/* For code that keeps vectors on the stack: hand-written callers misalign it,
 * and libc's copies do not mind. */
#define REALIGNED	__attribute__((force_align_arg_pointer))

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

#endif
