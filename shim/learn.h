/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * learn.h: mode=auto: which way of making a range durable is the cheapest in
 * total, found out as the program runs.
 *
 * A cell is what is believed of one rule, one class of range size, and one
 * size of page-table entries. The cost of a way is the time of the sync plus
 * that of the page faults up to the next one, which the kernel's msync causes
 * by write-protecting what it has cleaned.
 *
 * Concurrency: everything may run anywhere, signal handlers included. There
 * is no lock: a number that two threads change at once may lose a change,
 * which makes a belief less sure and never wrong for long. What follows from
 * a belief is how fast a sync is, never whether it is durable.
 */
#ifndef PMEMSHIM_LEARN_H
#define PMEMSHIM_LEARN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/stats_file.h"

struct learn_cell;

/* Where time (ns) and the process's page faults are read from. */
struct learn_sources {
	uint64_t (*now)(void);
	uint64_t (*faults)(void);
};

/*
 * Once, before anything else here; sources NULL: this process's own. report
 * may be NULL; it is called whenever a belief has changed, for the statistics.
 */
typedef void (*learn_report_fn)(size_t rule, size_t cell,
				const struct stats_file_belief *belief);
void learn_init(const struct learn_sources *sources, learn_report_fn report);

/*
 * In the child of a fork: beliefs are kept, and reported once more; what was
 * under way is not.
 */
void learn_after_fork(void);

/* How the cost of a persist follows the range. */
enum learn_walk {
	LEARN_NO_WALK,		/* it does not: nothing is flushed */
	LEARN_WALK,		/* flushes overlap: CLWB, CLFLUSHOPT */
	LEARN_WALK_SERIAL	/* they do not: CLFLUSH */
};

/* What is known about a sync before it is made. */
struct learn_range {
	size_t rule;		/* its number */
	uint64_t len;		/* bytes, a multiple of the page, not 0 */
	bool small;		/* the mapping cannot have 2 MiB entries */
	enum learn_walk walk;
};

/* One sync, from its begin to its end. */
struct learn_call {
	struct learn_cell *cell;
	enum stats_arm arm;	/* the way that is to be taken */
	uint64_t start;		/* ns; 0: not timed */
	uint64_t commit;	/* ns of it that went to committing metadata:
				   for the caller to add to, when it is timed */
	uint64_t stretch;
};

/* The clock of the times here. */
uint64_t learn_now(void);

/*
 * Whether the next call goes the chosen way, which is user space, and is not
 * timed; and that it did: for a call that neither of the two below is for.
 */
bool learn_goes_on(const struct learn_range *range);
void learn_went_on(const struct learn_range *range);

void learn_begin(struct learn_call *call, const struct learn_range *range);
/* by_kernel: the kernel's msync served it, whatever call->arm says. */
void learn_end(const struct learn_call *call, bool by_kernel);

/*
 * Whether a mapping under the rule pays: whether those before it, on average,
 * had a sync that was better than without the shim. Now and then one that does
 * not is made all the same, to see. And that one was made, or had such a sync.
 */
bool learn_mapping_pays(size_t rule);
void learn_mapped(size_t rule);
void learn_paid(size_t rule);

/* The number, within its rule, of the cell of a range. */
size_t learn_cell_number(uint64_t len, bool small);

#endif
