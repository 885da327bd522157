/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rseq.h: this thread's restartable-sequence area, as glibc registered it.
 */
#ifndef PMEMSHIM_X86_64_RSEQ_H
#define PMEMSHIM_X86_64_RSEQ_H

#include <stddef.h>
#include <stdint.h>

/* include/uapi/linux/rseq.h, as far as it is used. */
struct rseq_area {
	uint32_t cpu_id_start;
	uint32_t cpu_id;	/* above INT32_MAX while not registered */
	uint64_t rseq_cs;
};

/* Find out where glibc (2.35 and newer) keeps the areas. Once. */
void rseq_init(void);

/* NULL where there is none: older glibc, valgrind, a raw thread. */
struct rseq_area *rseq_area(void);

#endif
