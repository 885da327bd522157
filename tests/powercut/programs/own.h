/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * own.h: what log.c, table.c and tree.c share: a mapped file that grows, and
 * the two lives of each program:
 *
 *	PROGRAM run DIR SEED OPS		makes and syncs OPS operations
 *	PROGRAM check DIR SEED ACK[:INTENT]...	judges what a cut left; for each
 *			stream the last operation acknowledged and the last begun
 *
 * Everything that run stores follows from SEED and the operation's number, so
 * check needs nothing but these. Its last line of output says what is wrong.
 */
#ifndef POWERCUT_OWN_H
#define POWERCUT_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mark.h"

#define OWN_PAGE	4096
#define OWN_STREAMS	4

struct own_file {
	char path[4096];
	int fd;
	char *map;
	size_t len;
	unsigned int growths;
};

struct own_bounds {
	uint64_t acked, begun;
};

struct own_program {
	void (*run)(const char *dir, uint64_t seed, uint64_t ops);
	/* NULL, or what is wrong. */
	const char *(*check)(const char *dir, uint64_t seed,
			     const struct own_bounds *bounds);
};

/* Repeatable random numbers: the n-th of a seed. */
uint64_t own_random(uint64_t seed, uint64_t n);
uint64_t own_sum(const void *data, size_t len);
void own_must(bool good, const char *what);
/* A sentence for check to return; its storage is static. */
const char *own_say(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

void own_create(struct own_file *file, const char *dir, const char *name,
		size_t len);
/* By ftruncate, fallocate and write, in turn; the mapping follows. */
void own_grow(struct own_file *file, size_t len);
void own_shrink(struct own_file *file, size_t len);
/* msync of the pages that hold the range. */
void own_sync(struct own_file *file, size_t offset, size_t len);
/* The whole file by read(2), or NULL if there is none. */
char *own_read(const char *dir, const char *name, size_t *len);
int own_main(const struct own_program *program, int argc, char **argv);

#endif
