/* SPDX-License-Identifier: BSD-3-Clause */
/* Linked into a copy of the library in front of cpu_judge: a CPU with no more than T_ISA. */
#include <stdlib.h>
#include <string.h>

#include "shim/arch/x86_64/cpu.h"

struct cpu_features __real_cpu_judge(const struct cpu_raw *raw);
struct cpu_features __wrap_cpu_judge(const struct cpu_raw *raw);

struct cpu_features __wrap_cpu_judge(const struct cpu_raw *raw)
{
	struct cpu_features cpu = __real_cpu_judge(raw);
	const char *isa = getenv("T_ISA");

	if (isa && strcmp(isa, "avx512"))
		cpu.avx512 = false;
	if (isa && !strcmp(isa, "sse2"))
		cpu.avx2 = false;
	return cpu;
}
