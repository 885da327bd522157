/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ab_double.c: a double of the kernel's msync(2) that takes a known time; to
 * be preloaded after the shim, which then calls it.
 *
 * AB_DELAY_A and AB_DELAY_B are the nanoseconds that it spins in the arm that
 * the shim has just given the call to, by its statistics file. Both are
 * multiplied by the same noise, drawn by AB_SEED: each call's own, a slow
 * drift, and now and then a long interruption.
 */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "shim/stats_file.h"

static const struct stats_file_rule *rule;
static double delay[STATS_ARMS];
static unsigned short state[3];
static long calls;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double number(const char *name)
{
	const char *text = getenv(name);

	return text ? atof(text) : 0;
}

/* The shim has the file mapped: /proc/self/maps names it. */
static void find_file(void)
{
	const char *dir = getenv("PMEMSHIM_STATS");
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[4096], *path = NULL;
	void *file;
	int fd;

	while (dir && maps && !path && fgets(line, sizeof(line), maps)) {
		path = strstr(line, dir);
		line[strcspn(line, "\n")] = '\0';
	}
	if (maps)
		fclose(maps);
	fd = path ? open(path, O_RDONLY) : -1;
	if (fd < 0)
		abort();
	file = mmap(NULL, sizeof(struct stats_file_header) + sizeof(*rule),
		    PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (file == MAP_FAILED)
		abort();
	rule = (const void *)((const char *)file +
			      sizeof(struct stats_file_header));
}

static void begin(void)
{
	long seed = (long)number("AB_SEED");

	find_file();
	delay[STATS_ARM_KERNEL] = number("AB_DELAY_A");
	delay[STATS_ARM_USER] = number("AB_DELAY_B");
	memcpy(state, &seed, sizeof(state));
	for (int i = 0; i < 10; i++)
		erand48(state);
}

static double noise(void)
{
	double own = 0.8 + 0.4 * erand48(state);
	double drift = 1 + 0.3 * sin((double)calls++ / 40);
	double held_up = erand48(state) < 0.02 ? 10 : 1;

	return own * drift * held_up;
}

__attribute__((visibility("default"))) int msync(void *addr, size_t len,
						 int flags)
{
	double start = now();
	unsigned long block;
	int arm;

	(void)addr;
	(void)len;
	(void)flags;
	if (!rule)
		begin();
	block = (rule->syncs - 1) / rule->block_len;
	arm = (int)rule->blocks[block % STATS_BLOCKS].arm;
	for (double end = start + delay[arm] * noise(); now() < end;)
		;
	return 0;
}
