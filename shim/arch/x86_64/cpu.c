/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cpu.c: CPUID and XGETBV.
 *
 * Design: a vector extension counts only if the system has also enabled its
 * registers in XCR0 (Intel SDM Vol. 1, 13.2, 14.3 and 15.2); without that
 * the instruction is undefined, or its registers do not survive a context
 * switch. A leaf above the highest one answers with another leaf's data on
 * Intel, so it is never looked at.
 */
#include "cpu.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/arch/arch.h"

/* Intel SDM Vol. 2A, CPUID, table 3-8 (leaf 1 and leaf 7). */
#define L1_ECX_OSXSAVE		(UINT32_C(1) << 27)
#define L1_ECX_AVX		(UINT32_C(1) << 28)
#define L1_EDX_CLFSH		(UINT32_C(1) << 19)
#define L1_EDX_SSE		(UINT32_C(1) << 25)
#define L1_EDX_SSE2		(UINT32_C(1) << 26)
#define L1_EBX_LINE(ebx)	((((ebx) >> 8) & 0xff) * (size_t)8)
#define L7_EBX_AVX2		(UINT32_C(1) << 5)
#define L7_EBX_AVX512F		(UINT32_C(1) << 16)
#define L7_EBX_CLFLUSHOPT	(UINT32_C(1) << 23)
#define L7_EBX_CLWB		(UINT32_C(1) << 24)
#define L7_EBX_AVX512BW		(UINT32_C(1) << 30)
#define L7_EBX_AVX512VL		(UINT32_C(1) << 31)

/* Intel SDM Vol. 2A, CPUID, leaf 0: "GenuineIntel", from EBX. */
#define L0_EBX_INTEL		UINT32_C(0x756e6547)

/* Intel SDM Vol. 3B, 18.17.1: invariant TSC. */
#define POWER_LEAF		UINT32_C(0x80000007)
#define POWER_EDX_STEADY_TSC	(UINT32_C(1) << 8)

/* Intel SDM Vol. 1, 13.1: the state components of XCR0. */
#define XCR0_SSE		(UINT64_C(1) << 1)
#define XCR0_AVX		(UINT64_C(1) << 2)
#define XCR0_OPMASK		(UINT64_C(1) << 5)
#define XCR0_ZMM_HI256		(UINT64_C(1) << 6)
#define XCR0_HI16_ZMM		(UINT64_C(1) << 7)

#define XCR0_YMM	(XCR0_SSE | XCR0_AVX)
#define XCR0_ZMM	(XCR0_YMM | XCR0_OPMASK | XCR0_ZMM_HI256 | XCR0_HI16_ZMM)

struct cpuid {
	uint32_t eax;
	uint32_t ebx;
	uint32_t ecx;
	uint32_t edx;
};

/* Intel SDM Vol. 2A, CPUID. */
static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid id;

	__asm__ volatile("cpuid"
			 : "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx),
			   "=d"(id.edx)
			 : "0"(leaf), "2"(subleaf));
	return id;
}

/* Intel SDM Vol. 2D, XGETBV. Undefined unless CPUID reports OSXSAVE. */
static inline uint64_t xgetbv(uint32_t index)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(index));
	return (uint64_t)high << 32 | low;
}

static bool all_set(uint64_t value, uint64_t bits)
{
	return (value & bits) == bits;
}

/* A program may have asked the system for a signal at each RDTSC. */
static bool tsc_is_allowed(void)
{
	int allowed = 0;

	return syscall(SYS_prctl, PR_GET_TSC, &allowed, 0, 0, 0) == 0 &&
	       allowed == PR_TSC_ENABLE;
}

void cpu_read(struct cpu_raw *raw)
{
	const struct cpuid leaf0 = cpuid(0, 0);
	/* Leaf 1 is on every processor that has 64-bit mode. */
	const struct cpuid leaf1 = cpuid(1, 0);

	raw->max_leaf = leaf0.eax;
	raw->vendor = leaf0.ebx;
	raw->leaf1_ebx = leaf1.ebx;
	raw->leaf1_ecx = leaf1.ecx;
	raw->leaf1_edx = leaf1.edx;
	raw->leaf7_ebx = leaf0.eax >= 7 ? cpuid(7, 0).ebx : 0;
	raw->max_extended = cpuid(UINT32_C(0x80000000), 0).eax;
	raw->power_edx = raw->max_extended >= POWER_LEAF
		       ? cpuid(POWER_LEAF, 0).edx : 0;
	raw->tsc_allowed = tsc_is_allowed();
	raw->xcr0 = leaf1.ecx & L1_ECX_OSXSAVE ? xgetbv(0) : 0;
}

struct cpu_features cpu_judge(const struct cpu_raw *raw)
{
	uint32_t ecx1 = raw->max_leaf >= 1 ? raw->leaf1_ecx : 0;
	uint32_t edx1 = raw->max_leaf >= 1 ? raw->leaf1_edx : 0;
	uint32_t ebx7 = raw->max_leaf >= 7 ? raw->leaf7_ebx : 0;
	uint32_t power = raw->max_extended >= POWER_LEAF ? raw->power_edx : 0;
	uint64_t xcr0 = ecx1 & L1_ECX_OSXSAVE ? raw->xcr0 : 0;
	struct cpu_features cpu;

	cpu.sse2 = all_set(edx1, L1_EDX_SSE | L1_EDX_SSE2);
	cpu.clflush = edx1 & L1_EDX_CLFSH &&
		      L1_EBX_LINE(raw->leaf1_ebx) == ARCH_LINE;
	/* The three work on the same line; CLFSH is where its size stands. */
	cpu.clflushopt = cpu.clflush && ebx7 & L7_EBX_CLFLUSHOPT;
	cpu.clwb = cpu.clflush && ebx7 & L7_EBX_CLWB;
	cpu.avx2 = cpu.sse2 && ecx1 & L1_ECX_AVX && ebx7 & L7_EBX_AVX2 &&
		   all_set(xcr0, XCR0_YMM);
	cpu.avx512 = cpu.avx2 && all_set(xcr0, XCR0_ZMM) &&
		     all_set(ebx7, L7_EBX_AVX512F | L7_EBX_AVX512BW |
					   L7_EBX_AVX512VL);
	cpu.in_turn = raw->vendor == L0_EBX_INTEL;
	cpu.steady_tsc = power & POWER_EDX_STEADY_TSC && raw->tsc_allowed;
	return cpu;
}
