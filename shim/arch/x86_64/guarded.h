/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guarded.h: the flush of memory that another thread may be about to unmap.
 *
 * Design: a flush faults as a load does, and the kernel's msync never does. So
 * a piece is flushed in a restartable sequence (rseq(2)): the epoch is compared
 * and the lines are flushed, and whenever the kernel interrupted that, by
 * preemption, by a signal, or by the membarrier(2) with which a thread that
 * withdraws pages asks for it, the sequence starts again with the comparison.
 * Once that membarrier has returned nobody flushes what was withdrawn before
 * it, and nobody had to wait for anybody.
 *
 * A debugger's single steps interrupt every instruction, so a piece that was
 * tried often enough is flushed as it is.
 */
#ifndef PMEMSHIM_X86_64_GUARDED_H
#define PMEMSHIM_X86_64_GUARDED_H

#include <stdatomic.h>
#include <stdbool.h>

#include "flush.h"
#include "rseq.h"

/*
 * Short beside the time between two interrupts, long beside the 6 ns that a
 * sequence takes to begin: bench, "persist", 4 % against pieces of a page.
 */
#define GUARDED_PIECE	((uintptr_t)16384)
#define GUARDED_TRIES	16

/* The signature that glibc registered; it stands before an abort address. */
#define GUARDED_SIGNATURE	"0x53053053"

enum guarded_end { GUARDED_DONE, GUARDED_CHANGED, GUARDED_ABORTED };

/*
 * Define guarded_try_NAME(area, line, end, epoch, expected): flush the lines of
 * [line, end), end > line, unless *epoch differs. The descriptor (3) names the
 * sequence's start (1), length and abort address (4); see the kernel's
 * Documentation/userspace-api/rseq.rst and include/uapi/linux/rseq.h.
 */
#define GUARDED_TRY(name, instruction)					\
static enum guarded_end guarded_try_##name(struct rseq_area *area,	\
	uintptr_t line, uintptr_t end, const _Atomic uint64_t *epoch,	\
	uint64_t expected)						\
{									\
	__asm__ goto(							\
		".pushsection __rseq_cs, \"aw\"\n\t"			\
		".balign 32\n"						\
		"3:\n\t"						\
		".long 0, 0\n\t"					\
		".quad 1f, 2f - 1f, 4f\n\t"				\
		".popsection\n\t"					\
		"leaq 3b(%%rip), %%rax\n\t"				\
		"movq %%rax, %[cs]\n"					\
		"1:\n\t"						\
		"movq %[line], %%rax\n\t"				\
		"cmpq %[expected], %[epoch]\n\t"			\
		"jne %l[changed]\n"					\
		"5:\n\t"						\
		instruction " (%%rax)\n\t"				\
		"addq $64, %%rax\n\t"					\
		"cmpq %[end], %%rax\n\t"				\
		"jb 5b\n"						\
		"2:\n\t"						\
		".pushsection __rseq_failure, \"ax\"\n\t"		\
		".byte 0x0f, 0xb9, 0x3d\n\t"				\
		".long " GUARDED_SIGNATURE "\n"				\
		"4:\n\t"						\
		"jmp %l[aborted]\n\t"					\
		".popsection"						\
		: : [cs] "m"(area->rseq_cs), [line] "r"(line),		\
		    [end] "r"(end), [epoch] "m"(*epoch),		\
		    [expected] "r"(expected)				\
		: "rax", "memory", "cc" : changed, aborted);		\
	return GUARDED_DONE;						\
changed:								\
	return GUARDED_CHANGED;						\
aborted:								\
	return GUARDED_ABORTED;						\
}

typedef enum guarded_end (*guarded_try_fn)(struct rseq_area *area,
					   uintptr_t line, uintptr_t end,
					   const _Atomic uint64_t *epoch,
					   uint64_t expected);

/* [line, end) lies in one piece. */
static bool guarded_piece(guarded_try_fn try, arch_flush_fn flush,
			 struct rseq_area *area, uintptr_t line, uintptr_t end,
			 const _Atomic uint64_t *epoch, uint64_t expected)
{
	enum guarded_end how = GUARDED_ABORTED;

	for (int i = 0; area && how == GUARDED_ABORTED && i < GUARDED_TRIES;
	     i++)
		how = try(area, line, end, epoch, expected);
	if (how != GUARDED_ABORTED)
		return how == GUARDED_DONE;
	if (atomic_load_explicit(epoch, memory_order_acquire) != expected)
		return false;
	flush((const void *)line, end - line);
	return true;
}

__attribute__((always_inline))
static inline bool guarded_each(guarded_try_fn try, arch_flush_fn flush,
				const void *addr, size_t len,
				const _Atomic uint64_t *epoch,
				uint64_t expected)
{
	uintptr_t line = (uintptr_t)addr & ~(ARCH_LINE - 1);
	uintptr_t end = (uintptr_t)addr + len;
	struct rseq_area *area = rseq_area();

	while (line < end) {
		uintptr_t next = (line & ~(GUARDED_PIECE - 1)) + GUARDED_PIECE;

		if (next > end)
			next = end;
		if (!guarded_piece(try, flush, area, line, next, epoch,
				  expected))
			return false;
		line = next;
	}
	return true;
}

#endif
