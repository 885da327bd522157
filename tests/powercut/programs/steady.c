/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * steady.c: one mapping, long in use: a line is stored to and its page synced,
 * or with POWERCUT_WHOLE in the environment the whole map. What a sync costs
 * when nothing else happens; for the table in the README.
 */
#include "own.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGES = 64, LEN = PAGES * OWN_PAGE, LINE = 64, ROUNDS = 20 };

static size_t place(uint64_t seed, uint64_t op)
{
	return (size_t)(own_random(seed, op) % (LEN / LINE)) * LINE;
}

/* The kernel's syncs make stores fault and move the file's times; the shim has
 * these committed until they lie behind the clock. */
static void settle(struct own_file *file)
{
	for (int i = 0; i < ROUNDS; i++) {
		memset(file->map, 0, LEN);
		own_sync(file, 0, LEN);
		usleep(5000);
	}
}

static void run(const char *dir, uint64_t seed, uint64_t ops)
{
	struct own_file file;

	own_create(&file, dir, "steady", LEN);
	settle(&file);
	/* Counted from here. */
	mark_begin();
	for (uint64_t op = 1; op <= ops; op++) {
		size_t at = place(seed, op);

		mark_intent(op, 0);
		for (size_t i = 0; i < LINE / 8; i++)
			((volatile uint64_t *)(file.map + at))[i] = op;
		if (getenv("POWERCUT_WHOLE"))
			own_sync(&file, 0, LEN);
		else
			own_sync(&file, at, LINE);
		mark_ack(op, 0);
	}
}

static const char *check(const char *dir, uint64_t seed,
			 const struct own_bounds *bounds)
{
	static uint64_t least[LEN / LINE], most[LEN / LINE];
	size_t len = 0;
	char *data = own_read(dir, "steady", &len);

	if (bounds->begun == 0)
		return NULL;
	if (!data || len < LEN)
		return own_say("the file has %zu bytes", len);
	for (uint64_t op = 1; op <= bounds->begun; op++) {
		if (op <= bounds->acked)
			least[place(seed, op) / LINE] = op;
		most[place(seed, op) / LINE] = op;
	}
	for (size_t i = 0; i < LEN / 8; i++) {
		uint64_t value;

		memcpy(&value, data + i * 8, 8);
		if (value < least[i / 8] || value > most[i / 8])
			return own_say("line %zu has %llu, not %llu", i / 8,
				       (unsigned long long)value,
				       (unsigned long long)least[i / 8]);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct own_program program = { run, check };

	return own_main(&program, argc, argv);
}
