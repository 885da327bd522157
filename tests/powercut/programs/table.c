/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table.c: a table of counters. Two threads each own half of them; an operation
 * sets some of its own to its number and syncs the pages they lie in, while the
 * other thread does the same.
 *
 * Every other page is a thread's own, so that no two threads meet in one DAX
 * entry: the guest's kernel loses syncs there (README.md, "What it found").
 * With POWERCUT_TOGETHER in the environment every other counter is, so that
 * both have a share in each cache line. Then the file is written and synced
 * once before, and under the shim nothing but metadata is left to the kernel.
 */
#include "own.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	STREAMS = 2, COUNTERS = 16384, TABLE = COUNTERS * 8,
	TOUCHED = 4, NEAR = 64, IN_PAGE = OWN_PAGE / 8,
};

static struct own_file file;
static uint64_t the_seed, the_ops;
static bool together;

static size_t place(size_t slot, uint64_t stream)
{
	if (together)
		return slot * STREAMS + stream;
	return (slot / IN_PAGE * STREAMS + stream) * IN_PAGE + slot % IN_PAGE;
}

static uint64_t owner(size_t i)
{
	return (together ? i : i / IN_PAGE) % STREAMS;
}

/* Half of them close together. */
static size_t counter(uint64_t seed, uint64_t stream, uint64_t op, int k)
{
	uint64_t r = own_random(seed + stream * 77, op * TOUCHED + (uint64_t)k);
	size_t room = r & 1 ? NEAR : COUNTERS;

	return place((r >> 8) % (room / STREAMS), stream);
}

static void operate(uint64_t stream, uint64_t op)
{
	uint64_t *table = (uint64_t *)file.map;

	for (int k = 0; k < TOUCHED; k++)
		__atomic_store_n(&table[counter(the_seed, stream, op, k)], op,
				 __ATOMIC_RELAXED);
	for (int k = 0; k < TOUCHED; k++)
		own_sync(&file, counter(the_seed, stream, op, k) * 8, 8);
}

static void *thread(void *context)
{
	uint64_t stream = (uintptr_t)context;

	for (uint64_t op = 1; op <= the_ops; op++) {
		mark_intent(op, stream);
		operate(stream, op);
		mark_ack(op, stream);
	}
	return NULL;
}

static void run(const char *dir, uint64_t seed, uint64_t ops)
{
	pthread_t threads[STREAMS];

	the_seed = seed, the_ops = ops;
	own_create(&file, dir, "table", TABLE);
	if (together) {
		memset(file.map, 0, TABLE);
		own_sync(&file, 0, TABLE);
	}
	for (uintptr_t i = 0; i < STREAMS; i++)
		own_must(pthread_create(&threads[i], NULL, thread,
					(void *)i) == 0, "pthread_create");
	for (int i = 0; i < STREAMS; i++)
		pthread_join(threads[i], NULL);
}

static void replay(uint64_t seed, uint64_t stream, uint64_t ops, uint64_t *table)
{
	for (uint64_t op = 1; op <= ops; op++)
		for (int k = 0; k < TOUCHED; k++)
			table[counter(seed, stream, op, k)] = op;
}

static bool touches(uint64_t seed, uint64_t stream, uint64_t op, size_t i)
{
	for (int k = 0; k < TOUCHED; k++)
		if (counter(seed, stream, op, k) == i)
			return true;
	return false;
}

static const char *check(const char *dir, uint64_t seed,
			 const struct own_bounds *bounds)
{
	static uint64_t least[COUNTERS], most[COUNTERS];
	size_t len = 0;
	char *data = own_read(dir, "table", &len);
	uint64_t value;

	for (uint64_t s = 0; s < STREAMS; s++) {
		replay(seed, s, bounds[s].acked, least);
		replay(seed, s, bounds[s].begun, most);
	}
	for (size_t i = 0; i < COUNTERS; i++) {
		value = 0;
		if (data && i * 8 + 8 <= len)
			memcpy(&value, data + i * 8, 8);
		if (value < least[i] || value > most[i] ||
		    (value && !touches(seed, owner(i), value, i)))
			return own_say("counter %zu is %llu, not %llu to %llu; the file has %zu bytes",
				       i, (unsigned long long)value,
				       (unsigned long long)least[i],
				       (unsigned long long)most[i], len);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct own_program program = { run, check };

	together = getenv("POWERCUT_TOGETHER") != NULL;
	return own_main(&program, argc, argv);
}
