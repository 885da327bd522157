/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rseq.h: this thread's restartable-sequence area, as glibc registered it.
 */
#ifndef PMEMSHIM_X86_64_RSEQ_H
#define PMEMSHIM_X86_64_RSEQ_H

#include <stddef.h>
#include <stdint.h>

#include "shim/compiler.h"

/* include/uapi/linux/rseq.h, as far as it is used. */
struct rseq_area {
	uint32_t cpu_id_start;
	uint32_t cpu_id;	/* above INT32_MAX while not registered */
	uint64_t rseq_cs;
};

/* Find out where glibc (2.35 and newer) keeps the areas. Once. */
void rseq_init(void);

/* From the thread pointer; 0: none. */
extern HIDDEN ptrdiff_t rseq_offset;

/* NULL where there is none: older glibc, valgrind, a raw thread. */
static inline struct rseq_area *rseq_area(void)
{
	struct rseq_area *area;
	char *thread;

	if (rseq_offset == 0)
		return NULL;
	/* The thread pointer is the first word of what it points to. */
	__asm__("movq %%fs:0, %0" : "=r"(thread));
	area = (struct rseq_area *)(thread + rseq_offset);
	return area->cpu_id > INT32_MAX ? NULL : area;
}

#endif
