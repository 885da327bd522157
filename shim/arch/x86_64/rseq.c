/* SPDX-License-Identifier: BSD-3-Clause */
#include "rseq.h"

#include <dlfcn.h>

ptrdiff_t rseq_offset;

void rseq_init(void)
{
	/* Looked up, so that an older libc can load the library. */
	const ptrdiff_t *where = dlsym(RTLD_DEFAULT, "__rseq_offset");
	const unsigned int *size = dlsym(RTLD_DEFAULT, "__rseq_size");

	rseq_offset = where && size && *size > 0 ? *where : 0;
}
