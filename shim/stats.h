/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats.h: what happened, counted by rule, written as text at exit.
 *
 * Concurrency: stats_add may run anywhere; it costs one branch when
 * statistics are off.
 */
#ifndef PMEMSHIM_STATS_H
#define PMEMSHIM_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

enum stats_counter {
#define COUNTER(name, text) STATS_##name,
#include "shim/stats.def"
#undef COUNTER
	STATS_COUNTERS
};

extern bool stats_on;
extern _Atomic uint64_t stats_counts[CONFIG_RULES_MAX][STATS_COUNTERS];

/* The text of a counter, as it stands in the output and in messages. */
const char *stats_text(enum stats_counter counter);

/* Where to write and whose rules to name. Once; config must stay. */
void stats_init(const struct config *config);

static inline void stats_add(size_t rule, enum stats_counter counter,
			     uint64_t n)
{
	if (stats_on)
		atomic_fetch_add_explicit(&stats_counts[rule][counter], n,
					  memory_order_relaxed);
}

/* A forked child counts for itself. */
void stats_reset(void);

/*
 * Append one block for each rule to the file that PMEMSHIM_STATS names, in
 * one write, so that processes that share the file do not mix. The file is
 * made with mode 0600 and never followed through a symbolic link. A failure
 * is one warning.
 */
void stats_write(void);

#endif
