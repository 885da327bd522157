/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * copy_nt_sse2.c: memmove by SSE2 streaming stores; the order is stream.h's.
 */
#include "kernels.h"
#include "line_sse2.h"
#include "stream.h"

REALIGNED void copy_nt_sse2(void *dst, const void *src, size_t len,
			    arch_flush_fn flush)
{
	stream_copy(dst, src, len, flush);
}
