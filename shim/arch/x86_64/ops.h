/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ops.h: from a processor's features to a table of operations.
 */
#ifndef PMEMSHIM_X86_64_OPS_H
#define PMEMSHIM_X86_64_OPS_H

#include "cpu.h"
#include "shim/arch/arch.h"

#define OPS_STREAMS	3

/*
 * Fill ops for a processor with these features; ops->streams will point to
 * streams, which the caller keeps. Nothing is executed but the choice.
 */
void ops_select(struct arch_ops *ops, struct arch_stream streams[OPS_STREAMS],
		const struct cpu_features *cpu);

#endif
