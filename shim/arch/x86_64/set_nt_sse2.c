/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * set_nt_sse2.c: a pattern by SSE2 streaming stores; the order is stream.h's.
 */
#include "kernels.h"
#include "line_sse2.h"
#include "stream.h"

REALIGNED void set_nt_sse2(void *dst, uint32_t pattern, size_t len,
			   arch_flush_fn flush)
{
	stream_set(dst, pattern, len, flush);
}
