/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * set_nt_avx512.c: a pattern by AVX-512 streaming stores; the order is stream.h's.
 */
#include "kernels.h"
#include "line_avx512.h"
#include "stream.h"

void set_nt_avx512(void *dst, uint32_t pattern, size_t len, arch_flush_fn flush)
{
	stream_set(dst, pattern, len, flush);
}
