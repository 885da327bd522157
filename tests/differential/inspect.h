/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * inspect.h: a process's view of the arena, the slots and the files; and, where
 * the shim is loaded, the registry held against /proc/self/maps.
 */
#ifndef DIFFERENTIAL_INSPECT_H
#define DIFFERENTIAL_INSPECT_H

#include "tests/differential/world.h"

struct slot {
	char *base;		/* NULL: nothing is mapped */
	size_t len;
};

/* What a process knows of itself. Slot 0 is the arena with its margin. */
struct self {
	const struct batch *batch;
	struct world *world;
	int number;
	int fds[HANDLES];
	struct slot slots[SLOTS + 1];
};

/* Once in each process, after the fork that made it. */
void inspect_start(void);

/* Digests of the memory that is mapped (sampled where it is large), and of
 * the files. */
uint64_t inspect_memory(const struct self *self);
uint64_t inspect_files(const struct self *self);

/*
 * A digest of what is mapped where. With the shim, the registry too must agree:
 * if it does not, the world's complaint is filed for this step.
 */
uint64_t inspect_maps(const struct self *self, uint32_t step);

/* Whether two different pages of the ranges may be the same memory. */
bool inspect_alias(const struct self *self, const char *a, const char *b,
		   size_t len);

void inspect_count(struct world *world);

#endif
