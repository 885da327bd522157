/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * copies.c: large copies that are durable when they return, as the shim says of
 * every one of PMEMSHIM's copy_min and more; the kernel says nothing of the
 * kind, so with POWERCUT_MSYNC in the environment each is followed by a sync.
 * A copy goes to any alignment of one of a few places, in turn.
 */
#include "own.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PLACES = 8, PLACE = 8 * OWN_PAGE, LEAST = 4096, MOST = 20000 };

/* A call even where the compiler would rather copy inline. */
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;

struct plan {
	size_t at, len;
};

static struct plan plan_of(uint64_t seed, uint64_t op)
{
	uint64_t r = own_random(seed, op);
	struct plan plan;

	plan.len = LEAST + r % (MOST - LEAST);
	plan.at = op % PLACES * PLACE + (r >> 20) % (PLACE - plan.len);
	return plan;
}

static void fill(char *to, uint64_t seed, uint64_t op, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (char)(own_random(seed + op, i / 8) >> i % 8 * 8);
}

/* Every page is written once and synced twice: what a copy then changes is
 * nothing but data. */
static void settle(struct own_file *file)
{
	memset(file->map, 1, file->len);
	own_sync(file, 0, file->len);
	for (size_t i = 0; i < file->len; i += OWN_PAGE)
		((volatile char *)file->map)[i] = 0;
	own_sync(file, 0, file->len);
}

static void run(const char *dir, uint64_t seed, uint64_t ops)
{
	static char source[MOST];
	struct own_file file;

	own_create(&file, dir, "copies", PLACES * PLACE);
	settle(&file);
	for (uint64_t op = 1; op <= ops; op++) {
		struct plan plan = plan_of(seed, op);

		fill(source, seed, op, plan.len);
		mark_intent(op, 0);
		copy(file.map + plan.at, source, plan.len);
		if (getenv("POWERCUT_MSYNC"))
			own_sync(&file, plan.at, plan.len);
		mark_ack(op, 0);
	}
}

/* A byte that a later copy to the same place may have changed proves nothing;
 * what comes after the last one acknowledged is skipped. */
static const char *check_copy(const char *data, uint64_t seed, uint64_t op,
			      const struct plan *other)
{
	struct plan plan = plan_of(seed, op);
	static char want[MOST];

	fill(want, seed, op, plan.len);
	for (size_t i = plan.at; i < plan.at + plan.len; i++)
		if (data[i] != want[i - plan.at] &&
		    !(i >= other->at && i < other->at + other->len))
			return own_say("byte %zu, of copy %llu, is not there",
				       i, (unsigned long long)op);
	return NULL;
}

static const char *check(const char *dir, uint64_t seed,
			 const struct own_bounds *bounds)
{
	size_t len = 0;
	char *data = own_read(dir, "copies", &len);
	uint64_t first = bounds->acked < PLACES ? 1 : bounds->acked - PLACES + 1;
	struct plan other = { 0 };

	if (bounds->acked == 0)
		return NULL;
	if (!data || len < PLACES * PLACE)
		return own_say("the file has %zu bytes", len);
	if (bounds->begun > bounds->acked)
		other = plan_of(seed, bounds->begun);
	for (uint64_t op = first; op <= bounds->acked; op++) {
		const char *wrong = check_copy(data, seed, op, &other);

		if (wrong)
			return wrong;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct own_program program = { run, check };

	return own_main(&program, argc, argv);
}
