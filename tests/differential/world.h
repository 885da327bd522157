/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * world.h: two processes that execute a batch, turn by turn, and what they
 * leave for the driver to compare: with the shim in one world, without in the
 * other.
 */
#ifndef DIFFERENTIAL_WORLD_H
#define DIFFERENTIAL_WORLD_H

#include <stdatomic.h>

#include "tests/differential/op.h"

/* In errno before each call: success keeps it. */
#define ERRNO_BEFORE	77
/* The result of an operation that made no sense here. */
#define SKIPPED		(-1000)

struct result {
	int64_t value;
	int32_t error;
	int32_t signal;
	uint64_t fault;		/* where, by page of the arena; or 0 */
	uint64_t maps, memory, files;	/* digests; 0: not taken */
};

struct world {
	_Atomic uint32_t turn;		/* the operation that is next */
	_Atomic uint32_t ready;		/* processes */
	uint32_t resume;		/* where a forked child stopped */
	int status[PROCESSES];		/* as waitpid gives it */
	/* Of the steps, then what each process sees at the end. */
	struct result results[OPS_MAX + PROCESSES];
	_Atomic uint32_t complained;
	uint32_t complaint_step;
	char complaint[200];
	/* Sums over all batches, of the world with the shim. */
	_Atomic uint64_t persisted, copies, looks, tracked_pages, shared_pages;
};

enum { BARE, SHIMMED, WORLDS };

struct shared {
	struct batch batch;
	struct world worlds[WORLDS];
};

/* Serve batches: a byte on stdin starts one, a byte on stdout ends it. */
int world_main(struct shared *shared, int which, const char *files,
	       const char *outside);

#endif
