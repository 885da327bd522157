/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * set_nt_avx2.c: a pattern by AVX2 streaming stores; the order is stream.h's.
 */
#include "kernels.h"
#include "line_avx2.h"
#include "stream.h"

void set_nt_avx2(void *dst, uint32_t pattern, size_t len, arch_flush_fn flush)
{
	stream_set(dst, pattern, len, flush);
}
