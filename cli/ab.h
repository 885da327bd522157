/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ab.h: what the files of `pmemshim ab` hand each other.
 *
 * Design: ab.c reads the command line and leads; ab_run.c runs the command and
 * collects; ab_judge.c makes ratios and the verdict of it; ab_table.c makes
 * tables, which ab_show.c and report*.c print. Times are in nanoseconds.
 */
#ifndef PMEMSHIM_AB_H
#define PMEMSHIM_AB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "cli/estimate.h"
#include "cli/stats_read.h"

enum ab_arm {
	AB_BARE,	/* without the shim */
	AB_KERNEL,	/* arm A: mode=kernel */
	AB_FLUSH,	/* arm B: mode=flush */
	AB_BOTH,	/* mode=ab */
	AB_USUAL,	/* up to here: what is run unless --arms says otherwise */
	/* The four ways to sync a range, and what chooses among them. */
	AB_KERNEL_SMALL = AB_USUAL,
	AB_KERNEL_HUGE,
	AB_FLUSH_SMALL,
	AB_FLUSH_HUGE,
	AB_AUTO,	/* mode=auto, pages=auto */
	AB_ARMS
};

extern const char *const ab_arm_names[AB_ARMS];

struct ab_options {
	uint64_t runs, warmup, seed, block;	/* block 0: as the rules say */
	bool arms[AB_ARMS];
	const char *rules, *library, *setup, *check, *report;
	bool json;
	char **command;
	size_t words;		/* in command */
};

/* Whether any arm but bare is run. */
bool ab_any_shim_arm(const struct ab_options *options);

/* What the statistics of one run say of one arm of the syncs. */
struct ab_syncs {
	uint64_t calls, bytes;
	double sync_ns, max_ns;
	double quantile[4];	/* p50, p90, p99, p99.9 */
};

struct ab_run {
	size_t round, place;	/* from 1; place in the round */
	enum ab_arm arm;
	double wall, user, system;
	uint64_t faults;
	size_t files;		/* processes that counted */
	struct ab_syncs syncs[STATS_ARMS];
	uint64_t counters[STATS_FILE_COUNTERS];
};

/* Blocks of mode=ab in pairs: the logarithms of A's cost through B's. */
struct ab_pairs {
	double *sync, *total;
	size_t *run;
	size_t n;
	uint64_t blocks;	/* complete ones, also those that are lost */
	uint64_t kept;		/* of which the files still knew the times */
};

struct ab_environment {
	char cpu[96];
	bool emulated;		/* by QEMU's TCG */
	char machine[48];	/* the hypervisor, or "none seen" */
	char kernel[256];
	char date[32];
	char *rules;		/* as in PMEMSHIM_PATHS, before the arm's mode */
	char *command;		/* quoted for a shell */
	char *library;
	char **file_systems;	/* a line for each rule */
	size_t nfile_systems;
	char flush[16], stream[16], shim_version[32];
};

enum ab_comparison { AB_SYNC, AB_TOTAL, AB_WALL, AB_USER, AB_SYSTEM,
		     AB_BARE_WALL, AB_AUTO_WALL, AB_COMPARISONS };

struct ab {
	struct ab_options options;
	struct ab_environment environment;
	char *preload;		/* LD_PRELOAD of all arms but bare */
	struct ab_run *runs;	/* measured ones, in the order they ran */
	size_t nruns;
	struct stats_total totals[AB_ARMS];	/* of all measured runs */
	size_t unreadable;	/* statistics files */
	char unreadable_why[256];
	struct ab_pairs pairs;
	struct estimate ratios[AB_COMPARISONS];	/* n is 0: there is none */
	char *verdict;
	char *caution;		/* what to know when reading it; or NULL */
	char *voided;		/* why there is no comparison; or NULL */
};

/* --- ab_run.c ---------------------------------------------------------- */

/*
 * All runs; 0, or the exit status and in voided what went wrong. Cleans up
 * after itself also when a signal ends it.
 */
int ab_run_all(struct ab *ab);

/*
 * The rules with the mode, the pages (NULL: as they say) and the block length
 * (0: as they say) of an arm. Allocated.
 */
struct ab_way {
	const char *mode, *pages;
	uint64_t block;
};
char *ab_rules_for(const char *rules, const struct ab_way *way);

/* --- ab_judge.c -------------------------------------------------------- */

/* Adds the blocks of a file of run number `run`. */
void ab_pairs_add(struct ab_pairs *pairs, const struct stats_snapshot *snapshot,
		  size_t run);
void ab_judge(struct ab *ab);

/* Text of a ratio's interval, rounded outwards: "3.1 to 3.4". Allocated. */
char *ab_interval(const struct estimate *ratio);

extern const char *const ab_comparison_names[AB_COMPARISONS];
extern const char *const ab_comparison_of[AB_COMPARISONS];	/* "A / B" */

/* --- ab_environment.c -------------------------------------------------- */

struct config;
void ab_environment_fill(struct ab *ab, const struct config *config);

/* --- ab_table.c -------------------------------------------------------- */

/* cells are rows times (1 + columns): a row begins with its name. */
struct ab_table {
	const char *title;
	const char *note;	/* may be NULL */
	size_t columns, rows;
	char **heads;
	char **cells;
};

enum ab_table_kind { AB_TABLE_RATIOS, AB_TABLE_RUNS, AB_TABLE_SYNCS,
		     AB_TABLE_ENVIRONMENT, AB_TABLES };

/* Tables that have nothing to say have no rows. */
void ab_table_make(const struct ab *ab, enum ab_table_kind kind,
		   struct ab_table *table);
void ab_table_free(struct ab_table *table);

/* --- ab_show.c --------------------------------------------------------- */

void ab_show_text(const struct ab *ab);
void ab_show_json(const struct ab *ab);

/* --- Shared ------------------------------------------------------------ */

size_t ab_arm_runs(const struct ab *ab, enum ab_arm arm);
/* The median over the runs of an arm of one of struct ab_run's numbers. */
double ab_median(const struct ab *ab, enum ab_arm arm,
		 double (*of)(const struct ab_run *run));
double ab_wall(const struct ab_run *run);
double ab_user(const struct ab_run *run);
double ab_system(const struct ab_run *run);
double ab_faults(const struct ab_run *run);
double ab_msyncs(const struct ab_run *run);		/* tracked calls */
double ab_kernel_msyncs(const struct ab_run *run);	/* system calls */
double ab_flushed(const struct ab_run *run);		/* bytes */

#endif
