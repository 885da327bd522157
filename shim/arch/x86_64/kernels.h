/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kernels.h: the operations of this folder, one file each; file = symbol =
 * ISA. What each must do is the contract of arch.h. Calling one on a
 * processor without its ISA is an illegal instruction: ops.c chooses.
 */
#ifndef PMEMSHIM_X86_64_KERNELS_H
#define PMEMSHIM_X86_64_KERNELS_H

#include <stdbool.h>

#include "shim/arch/arch.h"

void flush_clflush(const void *addr, size_t len);
void flush_clflushopt(const void *addr, size_t len);
void flush_clwb(const void *addr, size_t len);

bool guarded_clflush(const void *addr, size_t len,
		     const _Atomic uint64_t *epoch, uint64_t expected);
bool guarded_clflushopt(const void *addr, size_t len,
			const _Atomic uint64_t *epoch, uint64_t expected);
bool guarded_clwb(const void *addr, size_t len,
		  const _Atomic uint64_t *epoch, uint64_t expected);

void drain_sfence(void);

/* How copy_nt_* order their lines; see stream.h. Set before the first copy. */
extern bool stream_in_turn;

void copy_nt_sse2(void *dst, const void *src, size_t len, arch_flush_fn flush);
void copy_nt_avx2(void *dst, const void *src, size_t len, arch_flush_fn flush);
void copy_nt_avx512(void *dst, const void *src, size_t len,
		    arch_flush_fn flush);

void set_nt_sse2(void *dst, uint32_t pattern, size_t len, arch_flush_fn flush);
void set_nt_avx2(void *dst, uint32_t pattern, size_t len, arch_flush_fn flush);
void set_nt_avx512(void *dst, uint32_t pattern, size_t len,
		   arch_flush_fn flush);

uint64_t ticks_tsc(void);
uint64_t ticks_after_tsc(void);

#endif
