/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats_read.h: statistics files, read and added up.
 *
 * Design: a file is copied out and checked as a whole before anything in it
 * is believed, so what is handed out has two arms, known buckets and texts
 * that end. Files of several processes are added up in nanoseconds: their
 * clocks need not tick alike. A file may be read while it is written.
 */
#ifndef PMEMSHIM_STATS_READ_H
#define PMEMSHIM_STATS_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/stats_file.h"

/* One file at one moment. */
struct stats_snapshot {
	struct stats_file_header header;
	struct stats_file_rule *rules; /* header.nrules of them */
	double tick_ns;		       /* nanoseconds in a tick */
	/*
	 * Where tick_ns is from. The process may have ended before it could
	 * say; then the ticks of this machine are measured instead.
	 */
	bool tick_measured_here;
	bool alive; /* the process is there and still the same one */
};

/*
 * 0 and *out, to be given to stats_snapshot_free; or -1 and in why, without
 * the name of the file, one line that says what is wrong with it.
 */
int stats_read(const char *path, struct stats_snapshot **out, char *why,
	       size_t why_size);
void stats_snapshot_free(struct stats_snapshot *snapshot);

/*
 * A distribution of times, log-linear in nanoseconds: 128 buckets for every
 * power of two, so what adding up loses (0.4 %) is small beside a file's own
 * buckets (3.1 %).
 */
#define STATS_TIMES_BUCKETS 5120

struct stats_times {
	uint64_t n;
	uint64_t count[STATS_TIMES_BUCKETS];
};

/* The smallest time in a bucket, in nanoseconds. */
double stats_times_start(unsigned int bucket);

/*
 * The time that a share q (0 to 1) of all stayed at or below, within the
 * resolution; NAN when there are none. 1 is the end of the last bucket: use
 * max_ns for the exact longest.
 */
double stats_times_quantile(const struct stats_times *times, double q);

/* struct stats_file_arm, in nanoseconds, of one or more files. */
struct stats_total_arm {
	uint64_t calls, bytes;
	double sync_ns, max_ns;
	uint64_t between_calls;
	double between_ns;
	uint64_t blocks, block_calls, block_faults;
	double block_ns;
	struct stats_times latency, between;
};

/* struct stats_file_belief of one or more processes, weighed by samples. */
struct stats_total_belief {
	double cost_ns[STATS_ARMS], sync_ns[STATS_ARMS], faults[STATS_ARMS];
	uint64_t samples[STATS_ARMS];	/* 0: the others say nothing */
	uint64_t changes, tries;
	size_t chosen[STATS_ARMS];	/* by how many processes */
};

struct stats_total_rule {
	char path[STATS_FILE_PATH];
	char options[1024];
	uint64_t mode; /* enum config_mode */
	uint64_t block_len;
	uint64_t counters[STATS_FILE_COUNTERS]; /* enum stats_counter */
	struct stats_total_arm arms[STATS_ARMS];
	struct stats_total_belief beliefs[STATS_CELLS];
};

/* Start with {0}. Rules are one when path and options are the same. */
struct stats_total {
	size_t files;
	size_t alive;	   /* of them, processes that still run */
	size_t unfinished; /* of them, killed or gone by _exit */
	size_t nrules;
	struct stats_total_rule **rules; /* in the order first seen */
};

/* Exits the program, with one line, when there is no memory. */
void stats_total_add(struct stats_total *total,
		     const struct stats_snapshot *snapshot);
void stats_total_free(struct stats_total *total);

/* Of all rules together. */
uint64_t stats_total_counter(const struct stats_total *total,
			     unsigned int counter);
void stats_total_sum_arm(const struct stats_total *total, enum stats_arm arm,
			 struct stats_total_arm *out);

/* A complete block of syncs of mode=ab. */
struct stats_block {
	uint64_t number; /* from 0 */
	enum stats_arm arm;
	uint64_t calls, bytes, faults;
	double sync_ns;	 /* in msync */
	double total_ns; /* from its first call to the next block */
};

/*
 * The complete blocks of a rule that the file still has, by number; at most
 * STATS_BLOCKS. Returns how many.
 */
size_t stats_blocks(const struct stats_snapshot *snapshot, size_t rule,
		    struct stats_block *out);

#endif
