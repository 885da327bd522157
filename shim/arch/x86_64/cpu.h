/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cpu.h: what this processor, and the system running it, can execute.
 *
 * Design: reading the registers and judging them are apart, so that tests
 * can put processors before the judge that this machine is not.
 */
#ifndef PMEMSHIM_X86_64_CPU_H
#define PMEMSHIM_X86_64_CPU_H

#include <stdbool.h>
#include <stdint.h>

/* Raw answers of CPUID and XGETBV; zero where the question is not allowed. */
struct cpu_raw {
	uint32_t max_leaf;	/* leaf 0, EAX */
	uint32_t vendor;	/* leaf 0, EBX: the name's first four letters */
	uint32_t leaf1_ebx;
	uint32_t leaf1_ecx;
	uint32_t leaf1_edx;
	uint32_t leaf7_ebx;	/* leaf 7, subleaf 0 */
	uint32_t max_extended;	/* leaf 0x80000000, EAX */
	uint32_t power_edx;	/* leaf 0x80000007 */
	bool tsc_allowed;	/* reading it is no signal, by prctl(2) */
	uint64_t xcr0;
};

struct cpu_features {
	bool clflush;		/* and it works on lines of ARCH_LINE bytes */
	bool clflushopt;
	bool clwb;
	bool sse2;
	bool avx2;		/* and the system saves YMM */
	bool avx512;		/* F, BW, VL, and the system saves ZMM */
	bool in_turn;		/* see stream.h: parts in turn, not one after another */
	bool steady_tsc;	/* one rate in all states, and readable */
};

/* Ask this processor. The vendor matters to in_turn alone: bits mean the same. */
void cpu_read(struct cpu_raw *raw);

/* Judge the answers. Pure. */
struct cpu_features cpu_judge(const struct cpu_raw *raw);

#endif
