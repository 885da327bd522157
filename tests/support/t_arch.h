/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * t_arch.h: an architecture that writes down what it is asked to flush and
 * drain, so that a test can say that each line was flushed exactly once and
 * that the one drain came last.
 */
#ifndef T_ARCH_H
#define T_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/arch/arch.h"

/* Flush is CLWB, CLFLUSHOPT and CLFLUSH alike; streams copy and flush. */
extern const struct arch_ops t_arch_ops;

/* Forget what was recorded. */
void t_arch_reset(void);

size_t t_arch_flushes(void);	/* lines, repeats included */
size_t t_arch_drains(void);
size_t t_arch_streamed(void);	/* bytes given to copy and set */

/*
 * Whether exactly the lines that [addr, addr + len) touches were flushed,
 * each once, and one drain came after the last of them.
 */
bool t_arch_persisted_once(const void *addr, size_t len);

#endif
