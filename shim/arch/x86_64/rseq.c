/* SPDX-License-Identifier: BSD-3-Clause */
#include "rseq.h"

#include <dlfcn.h>

static ptrdiff_t offset;	/* from the thread pointer; 0: none */

void rseq_init(void)
{
	/* Looked up, so that an older libc can load the library. */
	const ptrdiff_t *where = dlsym(RTLD_DEFAULT, "__rseq_offset");
	const unsigned int *size = dlsym(RTLD_DEFAULT, "__rseq_size");

	offset = where && size && *size > 0 ? *where : 0;
}

struct rseq_area *rseq_area(void)
{
	struct rseq_area *area;
	char *thread;

	if (offset == 0)
		return NULL;
	/* The thread pointer is the first word of what it points to. */
	__asm__("movq %%fs:0, %0" : "=r"(thread));
	area = (struct rseq_area *)(thread + offset);
	return area->cpu_id > INT32_MAX ? NULL : area;
}
