/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ops.c: choose the operations, once, from what cpu.c found.
 *
 * Design: flush and stream are independent choices, each from plain to best;
 * their product is not written out.
 */
#include "ops.h"
#include "cpu.h"
#include "kernels.h"
#include "rseq.h"

bool stream_in_turn;

/* Field by field: an assigned struct may be a call to memcpy, ours. */
static void ops_offer(struct arch_stream *stream, const char *name,
		      arch_copy_fn copy, arch_set_fn set, bool usable)
{
	stream->name = name;
	stream->copy = copy;
	stream->set = set;
	stream->usable = usable;
}

static void ops_flush(struct arch_ops *ops, enum arch_flush kind,
		      arch_flush_fn flush, arch_guarded_fn guarded,
		      bool usable)
{
	ops->flush[kind] = usable ? flush : NULL;
	ops->guarded[kind] = usable ? guarded : NULL;
}

void ops_select(struct arch_ops *ops, struct arch_stream streams[OPS_STREAMS],
		const struct cpu_features *cpu)
{
	ops_offer(&streams[0], "sse2", copy_nt_sse2, set_nt_sse2, cpu->sse2);
	ops_offer(&streams[1], "avx2", copy_nt_avx2, set_nt_avx2, cpu->avx2);
	ops_offer(&streams[2], "avx512", copy_nt_avx512, set_nt_avx512,
		  cpu->avx512);

	ops_flush(ops, ARCH_CLFLUSH, flush_clflush, guarded_clflush,
		  cpu->clflush);
	ops_flush(ops, ARCH_CLFLUSHOPT, flush_clflushopt, guarded_clflushopt,
		  cpu->clflushopt);
	ops_flush(ops, ARCH_CLWB, flush_clwb, guarded_clwb, cpu->clwb);
	stream_in_turn = cpu->in_turn;
	ops->drain = NULL;
	ops->streams = streams;
	ops->nstreams = OPS_STREAMS;
	ops->stream = NULL;
	ops->ticks = cpu->steady_tsc ? ticks_tsc : NULL;
	ops->ticks_after = cpu->steady_tsc ? ticks_after_tsc : NULL;

	/*
	 * Without a flush that is known to work on 64-byte lines not even a
	 * copy can be finished here: its ragged ends would stay in the cache.
	 */
	if (!cpu->clflush || !cpu->sse2)
		return;
	ops->drain = drain_sfence;
	for (size_t i = 0; i < OPS_STREAMS; i++)
		if (streams[i].usable)
			ops->stream = &streams[i];
}

void arch_init(struct arch_ops *ops)
{
	/* Written here and nowhere else; const for everybody after. */
	static struct arch_stream streams[OPS_STREAMS];
	struct cpu_features cpu;
	struct cpu_raw raw;

	rseq_init();
	cpu_read(&raw);
	cpu = cpu_judge(&raw);
	ops_select(ops, streams, &cpu);
}
