/* SPD, double budget);
void loaded-License-Identifier: BSD-3-Clause */
/*
 * bench.h: what the parts of the benchmark share.
 *
 *	bench.c     the rows: which operation, which sizes, in which state
 *	contend.c   the contenders: the shim, bare kernels, libpmem, libc
 *	sample.c    timing in random order, medians and their spread
 *	loaded.c    what it costs a program that the library is loaded
 */
#ifndef PMEMSHIM_BENCH_H
#define PMEMSHIM_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* Files mapped once for each rule that bench.sh writes. */
enum room { VERIFY, NOVERIFY, STREAM, PLAIN, ROOMS };

enum operation {
	COPY,		/* memcpy, durable on return */
	MOVE,		/* memmove of overlapping ranges */
	SET,		/* memset, durable on return */
	PERSIST,	/* every line stored just now, made durable */
	COPY_SYNC,	/* memcpy, then msync: what programs do */
	OPERATIONS
};

/* In which state a call finds its memory. */
enum state {
	HOT,		/* this contender's previous call was on the same */
	DIRTY,		/* and the destination was stored to just now */
	COLD,		/* neither source nor destination is in a cache */
	READ_BACK,	/* cold; reading the result belongs to the call */
	STATES
};

struct work {
	enum operation operation;
	enum state state;
	size_t len;
	size_t dst_off, src_off;	/* bytes behind a page boundary */
};

struct call {
	char *dst;
	const char *src;
	size_t len;
};

struct contender {
	const char *name;
	void (*run)(const struct contender *self, const struct call *call);
	enum room room;
	const void *own;	/* a kernel, a library */
	bool skipped;		/* missing here, or found wrong */
};

enum { CONTENDERS_MAX = 16 };

/* contend.c. The first contender is libpmem where that exists. */
void contend_init(const char *dir, size_t most);
size_t contenders_of(enum operation operation, struct contender **list);
char *room_of(enum room room);
const char *source(void);
size_t room_size(void);
const char *libpmem_version(void);
const char *flush_name(void);
const char *kernel_name(void);
/* libc's own, past every preloaded library. */
void *libc_symbol(const char *name);
void evict(const void *addr, size_t len);
/* Flush each line, and drain. */
void persist_bare(const void *addr, size_t len);

/* sample.c */
struct spread {
	double ns, q1, q3;		/* of the calls */
	double ratio, low, high;	/* libpmem's time to this one's */
	size_t n;
};

void sample_init(uint64_t seed, int cpu);
double sample_ns_per_tick(void);
uint64_t sample_random(void);
uint64_t sample_tick(void);
int sample_cpu(void);
/* Run all contenders in turn, in random order, for about budget seconds. */
void sample_row(const struct work *work, struct contender *list, size_t n,
		double budget, struct spread *out);
double median_of(double *values, size_t n);

/* loaded.c. Each appends JSON to f, as members, and prints for people. */
void loaded_small_copies(FILE *f);
void loaded_lookup(FILE *f);
void loaded_memory(FILE *f);
void loaded_maps(FILE *f, const char *dir);
void loaded_mappings(FILE *f, const char *dir);
void loaded_threads(FILE *f);

#endif
