/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * arch.h: the contract each architecture fulfils.
 *
 * An architecture offers ways to write cache lines back (flush), one way to
 * wait for them (drain), and stores that bypass the caches (stream). What is
 * offered depends on the CPU alone; which of it a mapping uses is decided in
 * persist.c.
 *
 * Every function here may run in a signal handler and in any thread, touches
 * no errno, takes no lock, allocates nothing, and leaves the upper halves of
 * vector registers clean.
 */
#ifndef PMEMSHIM_ARCH_H
#define PMEMSHIM_ARCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes written back by one flush instruction. */
#define ARCH_LINE	((size_t)64)

/*
 * Write back every line that [addr, addr + len) touches, each once, without
 * waiting. len 0 does nothing. Faults as a load of those lines would.
 */
typedef void (*arch_flush_fn)(const void *addr, size_t len);

/*
 * The same for a range that ends below the end of the address space and that
 * another thread may be withdrawing: false, with any part of it flushed, as
 * soon as *epoch is found not to be expected. A thread that changes *epoch and
 * then calls membarrier(2) with MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ may take
 * the memory away: nobody who expected the old value touches it afterwards.
 * (Where the system lacks restartable sequences, or a debugger steps through
 * one, that is not certain.)
 */
typedef bool (*arch_guarded_fn)(const void *addr, size_t len,
				const _Atomic uint64_t *epoch,
				uint64_t expected);

/*
 * Wait until all that this thread has flushed or streamed is in the
 * persistence domain.
 */
typedef void (*arch_drain_fn)(void);

/*
 * memmove(3) by streaming stores: correct for any alignment and any overlap.
 * When it returns each byte written was either streamed or handed to flush,
 * so that one drain makes all of it durable. Does not drain.
 */
typedef void (*arch_copy_fn)(void *dst, const void *src, size_t len,
			     arch_flush_fn flush);

/*
 * Fill [dst, dst + len) with a 4-byte pattern whose first byte in memory
 * order lands on dst. len need not be a multiple of 4. Flushes and streams as
 * arch_copy_fn does.
 */
typedef void (*arch_set_fn)(void *dst, uint32_t pattern, size_t len,
			    arch_flush_fn flush);

/* A clock, in a unit of its own that does not change; see arch_ops. */
typedef uint64_t (*arch_ticks_fn)(void);

/* Ways to write a line back, from plain to best. */
enum arch_flush {
	ARCH_CLFLUSH,		/* ordered, evicts */
	ARCH_CLFLUSHOPT,	/* unordered, evicts */
	ARCH_CLWB,		/* unordered, may keep the line */
	ARCH_FLUSH_COUNT
};

/* One implementation of the streaming stores. */
struct arch_stream {
	const char *name;	/* "sse2", "avx2", "avx512" */
	arch_copy_fn copy;
	arch_set_fn set;
	bool usable;		/* this CPU and this OS can run it */
};

struct arch_ops {
	/* NULL where this CPU lacks the instruction. */
	arch_flush_fn flush[ARCH_FLUSH_COUNT];
	arch_guarded_fn guarded[ARCH_FLUSH_COUNT];
	/* NULL where user space cannot make anything durable: ask first. */
	arch_drain_fn drain;
	/* All built in, from plain to best; usable ones are marked. */
	const struct arch_stream *streams;
	size_t nstreams;
	/* The best usable one, or NULL. */
	const struct arch_stream *stream;
	/*
	 * The same clock for all CPUs, cheaper than the system's: its time
	 * now, and its time once what this thread has done so far, drains
	 * included, is over. Both NULL where there is no such clock.
	 */
	arch_ticks_fn ticks;
	arch_ticks_fn ticks_after;
};

/*
 * Detect this CPU and fill ops. Never fails: an architecture that cannot
 * persist from user space leaves flush, drain and stream NULL, and then
 * everything goes to the kernel. Call once, before any other use.
 */
void arch_init(struct arch_ops *ops);

#endif
