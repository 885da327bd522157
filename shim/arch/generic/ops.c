/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ops.c: an architecture about which nothing is known.
 *
 * Design: without flush, drain and stream nothing can be made durable from
 * user space, so every msync and every copy goes to the kernel and to libc.
 */
#include "shim/arch/arch.h"

void arch_init(struct arch_ops *ops)
{
	for (size_t i = 0; i < ARCH_FLUSH_COUNT; i++) {
		ops->flush[i] = NULL;
		ops->guarded[i] = NULL;
	}
	ops->drain = NULL;
	ops->streams = NULL;
	ops->nstreams = 0;
	ops->stream = NULL;
	ops->ticks = NULL;
	ops->ticks_after = NULL;
}
