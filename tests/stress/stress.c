/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stress SECONDS [SEED]: threads map, unmap, protect and move mappings of a
 * few files through the modules while others sync and copy into mappings that
 * nobody takes away. Not a Criterion test, so that ThreadSanitizer can run it.
 *
 * Each owner thread compares every page of its own mappings with the registry
 * after each step. Exits 0 when all agreed; prints its seed.
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

static atomic_bool stop;
static _Atomic unsigned long steps, syncs;
static uint64_t seed;
static char *shared;
static int files[OWNERS + 1];

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
		atomic_fetch_add(&syncs, 1);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[OWNERS + READERS];
	unsigned int seconds = argc > 1 ? (unsigned int)atoi(argv[1]) : 10;

	seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
	seed += seed == 0;
	t_shim_start("flush=none,copy_min=4K");
	for (int i = 0; i <= OWNERS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		files[i] = t_shim_file(name, LEN);
	}
	shared = t_shim_map(files[OWNERS], LEN);
	for (intptr_t i = 0; i < OWNERS; i++)
		pthread_create(&threads[i], NULL, own, (void *)i);
	for (intptr_t i = 0; i < READERS; i++)
		pthread_create(&threads[OWNERS + i], NULL, use, (void *)i);
	sleep(seconds);
	atomic_store(&stop, true);
	for (int i = 0; i < OWNERS + READERS; i++)
		pthread_join(threads[i], NULL);
	printf("stress: %lu changes and %lu syncs agreed, seed %llu\n", steps,
	       syncs, (unsigned long long)seed);
	return 0;
}
