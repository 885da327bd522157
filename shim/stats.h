/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats.h: what happened, counted by rule, and how long each sync took, by
 * arm, in a file that this process maps; see stats_file.h.
 *
 * Concurrency: stats_add, stats_begin and stats_end may run anywhere, take no
 * lock and leave errno alone. They cost one branch when statistics are off.
 * What goes on in one thread is counted exactly, signal handlers included;
 * of a time that several threads spend in msync at once no one is the owner,
 * and blocks overlap.
 */
#ifndef PMEMSHIM_STATS_H
#define PMEMSHIM_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "shim/arch/arch.h"
#include "shim/arch/tally.h"
#include "shim/compiler.h"
#include "shim/stats_file.h"

enum stats_counter {
#define COUNTER(name, text) STATS_##name,
#include "shim/stats.def"
#undef COUNTER
	STATS_COUNTERS
};

/*
 * *stats_rules is the file's rules, NULL while statistics are off, and in a
 * child made past fork(2)'s handlers, which shares the mapping of its parent
 * and must not count there.
 */
extern HIDDEN struct stats_file_rule *_Atomic *_Atomic stats_rules;

/* glibc's word for it that the process has one thread, or a zero. */
extern HIDDEN const char *stats_alone;

static inline struct stats_file_rule *stats_file(void)
{
	return atomic_load_explicit(
		atomic_load_explicit(&stats_rules, memory_order_relaxed),
		memory_order_relaxed);
}

/* The file is read through another mapping, hence not an _Atomic type. */
static inline void stats_tally(uint64_t *counter, uint64_t n)
{
	if (likely(*stats_alone))
		tally_alone(counter, n);
	else
		__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static inline void stats_add(size_t rule, enum stats_counter counter,
			     uint64_t n)
{
	struct stats_file_rule *rules = stats_file();

	if (rules)
		stats_tally(&rules[rule].counters[counter], n);
}

/* The text of a counter, as it stands in the output and in messages. */
const char *stats_text(enum stats_counter counter);

/*
 * Make the file that config names, or say in one line why there is none.
 * Once, from the constructor, when mappings are tracked; config must stay.
 */
void stats_init(const struct config *config, const struct arch_ops *ops);

/*
 * In the child of fork(2), when its mappings are tracked: a file of its own.
 * What the parent counted stays the parent's.
 */
void stats_after_fork(void);

/* The process ends by exit(3). */
void stats_finish(void);

/* It goes on, and nothing here asks the kernel anything any more. */
void stats_retire(void);

/*
 * The program may map over the file's mapping, or unmap it, taking its address
 * for free: whether some of it lies in [addr, end), from any thread, and,
 * before the program's call, that the memory is the program's and statistics
 * are over.
 */
extern HIDDEN _Atomic uintptr_t stats_area, stats_area_end;

static inline bool stats_lies_in(uintptr_t addr, uintptr_t end)
{
	/* Both are 0 when there is none. */
	return addr < atomic_load_explicit(&stats_area_end,
					   memory_order_relaxed) &&
	       end > atomic_load_explicit(&stats_area, memory_order_relaxed);
}

void stats_forget(uintptr_t addr, uintptr_t end);

/* One msync(2) with MS_SYNC, from its begin to its end. */
struct stats_call {
	uint64_t start;		/* ticks; 0: statistics are off */
	size_t rule;
	uint64_t block;		/* number */
	enum stats_arm arm;
};

/* The time, for stats_begin, or 0 when statistics are off. */
uint64_t stats_ticks(void);

static inline uint64_t stats_start(void)
{
	return unlikely(stats_file() != NULL) ? stats_ticks() : 0;
}

/*
 * The call that began at start has turned out to be a sync of this rule, for
 * call->arm. takes_turns: whose turn it is decides instead, stats_assign's
 * answer, in call->arm, also when statistics are off.
 */
void stats_begin(struct stats_call *call, size_t rule, uint64_t start,
		 bool takes_turns);

/*
 * It is over, bytes long; by_kernel: the kernel's msync served it. Not needed
 * when call->start is 0.
 */
void stats_end(const struct stats_call *call, uint64_t bytes, bool by_kernel);

/* What mode=auto believes of a cell, see stats_file.h. May run anywhere. */
void stats_believe(size_t rule, size_t cell,
		   const struct stats_file_belief *belief);

/*
 * The arm of a block: blocks come in pairs, each with one of either arm, in an
 * order drawn from seed. A pure function, so that every thread draws alike.
 */
enum stats_arm stats_assign(uint64_t seed, size_t rule, uint64_t block);

#endif
