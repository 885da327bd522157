/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stress SECONDS [SEED]: threads map, unmap, protect and move mappings of a
 * few files through the modules while others sync and copy, into mappings that
 * nobody takes away and into such that come and go. Not a Criterion test, so
 * that ThreadSanitizer can run it.
 *
 * Each owner thread compares every page of its own mappings with the registry
 * after each step; each taker sees that what it has unmapped, or moved away, is
 * found by nobody. Exits 0 when all agreed; prints its seed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "shim/mapping.h"
#include "shim/registry.h"
#include "shim/sync.h"
#include "tests/support/t_pages.h"
#include "tests/support/t_shim.h"

#define PAGE		REGISTRY_PAGE
#define PAGES		32
#define LEN		(PAGES * PAGE)
#define OWNERS		3
#define READERS		3
#define TAKERS		2
/* The takers' windows, two each, where the kernel puts nothing by itself. */
#define AREA		((char *)0x1000000000)

static atomic_bool stop;
static _Atomic unsigned long steps, syncs, holes, rounds;
static uint64_t seed;
static char *shared;
static int files[OWNERS + 1 + TAKERS];

static void fail(const char *what, int step)
{
	fprintf(stderr, "stress: %s, step %d, seed %llu\n", what, step,
		(unsigned long long)seed);
	exit(1);
}

static void expect(const char *map, const char *model, int step)
{
	for (size_t i = 0; i < PAGES; i++)
		if ((registry_find((uintptr_t)map + i * PAGE) != 0) != model[i])
			fail("the registry differs from the mappings", step);
}

/* One change of a random run of pages; model: 1 where a page is tracked. */
static void change(char *map, char *model, int fd, uint64_t *state)
{
	size_t first = t_random(state) % PAGES;
	size_t n = 1 + t_random(state) % (PAGES - first);
	struct mapping_request request = {
		.addr = map + first * PAGE, .len = n * PAGE,
		.prot = PROT_READ | PROT_WRITE, .fd = fd,
		.offset = (off_t)(first * PAGE),
	};

	switch (t_random(state) % 5) {
	case 0:
		request.flags = MAP_SHARED | MAP_FIXED;
		if (mapping_map(&request) == MAP_FAILED)
			fail(strerror(errno), 0);
		memset(model + first, 1, n);
		break;
	case 1:
		/* Not unmapped: another thread's mapping might land there. */
		request.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
		request.fd = -1;
		request.offset = 0;
		if (mapping_map(&request) == MAP_FAILED)
			fail(strerror(errno), 0);
		memset(model + first, 0, n);
		break;
	case 2:
		mapping_protect(request.addr, request.len, PROT_READ);
		break;
	case 3:
		mapping_protect(request.addr, request.len,
				PROT_READ | PROT_WRITE);
		break;
	default:
		if (sync_range(request.addr, request.len, MS_SYNC))
			fail(strerror(errno), 0);
	}
}

static void *own(void *arg)
{
	int number = (int)(intptr_t)arg;
	uint64_t state = seed + (uint64_t)number;
	char *map = t_shim_map(files[number], LEN);
	char model[PAGES];

	memset(model, 1, sizeof(model));
	for (int step = 0; !atomic_load(&stop); step++) {
		change(map, model, files[number], &state);
		expect(map, model, step);
		atomic_fetch_add(&steps, 1);
	}
	return NULL;
}

static void expect_all(const char *map, size_t pages, int tracked, int step)
{
	for (size_t i = 0; i < pages; i++)
		if ((registry_find((uintptr_t)map + i * PAGE) != 0) != tracked)
			fail(tracked ? "a page was lost"
				     : "a page that is gone was found", step);
}

/* Map a window, sync it, move some of it away, and unmap all. */
static void *take(void *arg)
{
	int number = (int)(intptr_t)arg;
	char *window = AREA + (size_t)number * 2 * LEN, *other = window + LEN;
	struct mapping_request request = {
		.addr = window, .len = LEN, .prot = PROT_READ | PROT_WRITE,
		.flags = MAP_SHARED | MAP_FIXED,
		.fd = files[OWNERS + 1 + number],
	};
	uint64_t state = seed + 200 + (uint64_t)number;

	for (int step = 0; !atomic_load(&stop); step++) {
		size_t n = 1 + t_random(&state) % (PAGES - 1);

		if (mapping_map(&request) == MAP_FAILED)
			fail(strerror(errno), step);
		expect_all(window, PAGES, 1, step);
		if (sync_range(window, LEN, MS_SYNC))
			fail(strerror(errno), step);
		if (mapping_remap(window, n * PAGE, n * PAGE,
				  MREMAP_MAYMOVE | MREMAP_FIXED, other) !=
		    other)
			fail(strerror(errno), step);
		expect_all(window, n, 0, step);
		expect_all(window + n * PAGE, PAGES - n, 1, step);
		expect_all(other, n, 1, step);
		if (mapping_unmap(window, 2 * LEN))
			fail(strerror(errno), step);
		expect_all(window, 2 * PAGES, 0, step);
		atomic_fetch_add(&rounds, 1);
	}
	return NULL;
}

/* Of the takers: whatever is there, or is not. */
static void sync_theirs(uint64_t *state)
{
	size_t all = TAKERS * 2 * PAGES;
	size_t first = t_random(state) % all;
	size_t n = 1 + t_random(state) % (all - first);
	char *addr = AREA + first * PAGE;

	if (sync_range(addr, n * PAGE, MS_SYNC)) {
		if (errno != ENOMEM)
			fail(strerror(errno), 0);
		atomic_fetch_add(&holes, 1);
	}
	mapping_copy_policy(addr, n * PAGE);
}

static void *use(void *arg)
{
	uint64_t state = seed + 100 + (uint64_t)(intptr_t)arg;

	while (!atomic_load(&stop)) {
		size_t page = t_random(&state) % PAGES;

		if (sync_range(shared + page * PAGE, PAGE, MS_SYNC))
			fail(strerror(errno), 0);
		if (!mapping_copy_policy(shared + page * PAGE, PAGE))
			fail("a tracked page was not found", 0);
		/* Somebody else's, and perhaps going away: any answer. */
		registry_find(t_random(&state) % REGISTRY_LIMIT);
		sync_theirs(&state);
		atomic_fetch_add(&syncs, 1);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[OWNERS + READERS + TAKERS];
	unsigned int seconds = argc > 1 ? (unsigned int)atoi(argv[1]) : 10;

	seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
	seed += seed == 0;
	t_shim_start("flush=none,copy_min=4K");
	for (int i = 0; i <= OWNERS + TAKERS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		files[i] = t_shim_file(name, LEN);
	}
	shared = t_shim_map(files[OWNERS], LEN);
	for (intptr_t i = 0; i < OWNERS; i++)
		pthread_create(&threads[i], NULL, own, (void *)i);
	for (intptr_t i = 0; i < READERS; i++)
		pthread_create(&threads[OWNERS + i], NULL, use, (void *)i);
	for (intptr_t i = 0; i < TAKERS; i++)
		pthread_create(&threads[OWNERS + READERS + i], NULL, take,
			       (void *)i);
	sleep(seconds);
	atomic_store(&stop, true);
	for (int i = 0; i < OWNERS + READERS + TAKERS; i++)
		pthread_join(threads[i], NULL);
	printf("stress: %lu changes, %lu rounds and %lu syncs (%lu met a hole) agreed, seed %llu\n",
	       steps, rounds, syncs, holes, (unsigned long long)seed);
	return 0;
}
