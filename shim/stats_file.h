/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats_file.h: the statistics file: written through a mapping by the process
 * that it describes, read by the command line, also while that process runs.
 *
 * Design: fixed offsets, native byte order, one writer process, many threads.
 * Everything that changes is a 64-bit word that is changed by one access, so
 * a file is readable at any moment, also after SIGKILL. The header names the
 * sizes it was written with; a reader refuses what it was not built for. The
 * header is filled in before the magic is stored, so a file with the magic is
 * whole.
 *
 *	| header | rule 0 | rule 1 | ... |
 *
 * Times are in ticks of the clock that the header names.
 */
#ifndef PMEMSHIM_STATS_FILE_H
#define PMEMSHIM_STATS_FILE_H

#include <stdint.h>

#define STATS_FILE_MAGIC	UINT64_C(0x5441545348534d50) /* "PMSHSTAT" */
#define STATS_FILE_VERSION	2

enum stats_arm {
	STATS_ARM_KERNEL,	/* A: msync(2) */
	STATS_ARM_USER,		/* B: the user-space persist */
	STATS_ARMS
};

/*
 * Histogram of ticks, log-linear: below 32 ticks a bucket each, above that 32
 * buckets for every power of two (3.1 % wide) up to 2^40 ticks; the last
 * bucket also holds all that is longer.
 */
#define STATS_BUCKETS_EACH	32
#define STATS_BUCKETS		1152

static inline unsigned int stats_bucket(uint64_t ticks)
{
	unsigned int top;

	if (ticks < STATS_BUCKETS_EACH)
		return (unsigned int)ticks;
	if (ticks >> 40)
		return STATS_BUCKETS - 1;
	top = 63 - (unsigned int)__builtin_clzll(ticks);
	return (top - 4) * STATS_BUCKETS_EACH +
	       (unsigned int)(ticks >> (top - 5)) % STATS_BUCKETS_EACH;
}

/* The smallest number of ticks in a bucket; of STATS_BUCKETS: the end. */
static inline uint64_t stats_bucket_start(unsigned int bucket)
{
	unsigned int octave = bucket / STATS_BUCKETS_EACH;

	if (octave == 0)
		return bucket;
	return (uint64_t)(STATS_BUCKETS_EACH + bucket % STATS_BUCKETS_EACH)
	       << (octave - 1);
}

/*
 * Syncs are counted in blocks of block_len, each given to one arm; what a
 * block causes (faults, and the time until the next block begins) is known
 * only when the next one begins, and is charged to it then.
 */
struct stats_file_block {
	uint64_t number;	/* of the block + 1, from 1; 0: never used */
	uint64_t arm;		/* enum stats_arm */
	uint64_t calls;		/* msync(MS_SYNC) calls that ended */
	uint64_t bytes;		/* their lengths, rounded up to pages */
	uint64_t sync_ticks;	/* spent in them */
	uint64_t start;		/* clock when its first call began */
	uint64_t end;		/* clock when the next block began; 0: not yet */
	uint64_t faults;	/* of the process from start to end; before
				   the end: of the process up to start */
};

/*
 * A ring: block n is at n % STATS_BLOCKS. The oldest STATS_BLOCKS_AHEAD give
 * way to blocks to come.
 */
#define STATS_BLOCKS		2048
#define STATS_BLOCKS_AHEAD	16

/* Totals over all calls that were assigned to the arm, none forgotten. */
struct stats_file_arm {
	uint64_t calls;
	uint64_t bytes;
	uint64_t sync_ticks;
	uint64_t max_ticks;	/* the longest call */
	uint64_t between_ticks;	/* from one call's end to the next one's start,
				   charged to the earlier; same rule */
	uint64_t between_calls;	/* how many such gaps are in it */
	uint64_t block_ticks;	/* start to end of complete blocks */
	uint64_t block_calls;	/* calls in them */
	uint64_t block_faults;	/* faults in them */
	uint64_t blocks;	/* complete ones */
	uint64_t reserved[6];
	uint64_t latency[STATS_BUCKETS];
	uint64_t between[STATS_BUCKETS];
};

/*
 * What mode=auto believes of the syncs of one class of lengths on one size of
 * page-table entries: cell 2 * c + small is of lengths from 2^c pages up to
 * below the next class; the last class has no end. All zero: nothing.
 */
struct stats_file_belief {
	uint64_t sync_ns[STATS_ARMS];	/* a sync itself */
	uint64_t faults[STATS_ARMS];	/* thousandths, up to the next sync */
	uint64_t cost_ns[STATS_ARMS];	/* both together; 0: not known */
	uint64_t samples[STATS_ARMS];	/* syncs that were timed */
	uint64_t chosen;		/* enum stats_arm */
	uint64_t changes;		/* of what is chosen */
	uint64_t tries;			/* of what is not */
	uint64_t reserved;
};

#define STATS_CLASSES		24
#define STATS_CELLS		48	/* 2 * STATS_CLASSES */

#define STATS_FILE_COUNTERS	64	/* room; see stats.def */
#define STATS_FILE_PATH		1024

struct stats_file_rule {
	char path[STATS_FILE_PATH];	/* canonical, "/" for the root; cut if
					   longer, always ended by a zero */
	char options[1024];		/* as PMEMSHIM_PATHS would spell them all:
					   KEY=VALUE,..., ended by a zero */
	uint64_t mode;			/* enum config_mode */
	uint64_t block_len;		/* syncs in a block */
	uint64_t syncs;			/* calls given to an arm so far */
	uint64_t reserved[13];
	uint64_t counters[STATS_FILE_COUNTERS];	/* enum stats_counter */
	struct stats_file_arm arms[STATS_ARMS];
	struct stats_file_belief beliefs[STATS_CELLS];
	struct stats_file_block blocks[STATS_BLOCKS];
};

enum stats_clock {
	STATS_CLOCK_TSC,	/* ticks of the time stamp counter; see below */
	STATS_CLOCK_NS		/* nanoseconds of CLOCK_MONOTONIC */
};

struct stats_file_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_size;	/* sizeof(struct stats_file_header) */
	uint32_t rule_size;	/* sizeof(struct stats_file_rule) */
	uint32_t nrules;
	uint32_t arms, buckets, blocks;	/* STATS_ARMS, ... */
	uint32_t counters;	/* in use: how many stats.def has */
	int32_t pid, ppid;
	uint64_t file_size;	/* header_size + nrules * rule_size */
	uint64_t start_realtime;	/* ns of CLOCK_REALTIME at the start */
	uint64_t start_time;	/* field 22 of /proc/PID/stat: with the pid,
				   which process this is */
	uint64_t seed;		/* of mode=ab */
	uint64_t clock;		/* enum stats_clock */
	/*
	 * Two moments by both clocks: the rate of the ticks. The second one,
	 * renewed[renewals % 2], is renewed as the process goes (at kernel
	 * msyncs and block ends) and equal to the first until then. What
	 * renewals points to is whole at any moment, also after SIGKILL; a
	 * reader that finds renewals changed afterwards tries again.
	 */
	uint64_t first_ticks, first_ns;
	uint64_t renewals;
	struct {
		uint64_t ticks, ns;
	} renewed[2];
	uint64_t ended;		/* clock at exit; 0: running, killed, or _exit */
	char program[256];	/* /proc/self/exe; cut if longer */
	char shim_version[32];
	char flush[16];		/* what this CPU flushes with: "clwb" ... */
	char stream[16];	/* "avx512", "avx2", "sse2" or "none" */
	uint64_t cells;		/* STATS_CELLS */
	uint64_t reserved[15];
};

#endif
