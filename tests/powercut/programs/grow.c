/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * grow.c: metadata that an msync must commit: the mapped file is extended
 * behind the mapping by ftruncate, fallocate or write, or cut, or filled in its
 * allocated room, and then pages are synced. Either they are stored to in one
 * mapping, where nothing faults any more, so that nothing but the sync commits
 * the change; or, with POWERCUT_REMAP in the environment, they are synced
 * through a new mapping each time, without a store. A mapping beside it stays,
 * so that the file is known to whoever keeps a record of it.
 */
#define _GNU_SOURCE
#include "own.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FIXED = 4 * OWN_PAGE, LEAST = 8 * OWN_PAGE, MOST = 64 * OWN_PAGE };
enum way { TRUNCATE, ALLOCATE, WRITE, FILL, CUT, NOTHING, WAYS };

static enum way way_of(uint64_t seed, uint64_t op, size_t len)
{
	enum way way = (enum way)(own_random(seed, op) % WAYS);

	if (len + 2 * OWN_PAGE > MOST)
		return CUT;
	return way;
}

/* The file's length behind operation op, from that before it. */
static size_t len_after(enum way way, size_t len)
{
	switch (way) {
	case TRUNCATE: return len + 100;
	case ALLOCATE: return len + 2 * OWN_PAGE;
	case WRITE: return len + 300;
	case CUT: return LEAST;
	default: return len;
	}
}

/* Where WRITE and FILL put the operation's number. */
static size_t place_of(enum way way, size_t len)
{
	return way == WRITE ? (len + 7) & ~(size_t)7 : LEAST - OWN_PAGE;
}

static void change(int fd, enum way way, size_t len, uint64_t op)
{
	size_t to = len_after(way, len);
	char data[300];

	memset(data, 0, sizeof(data));
	switch (way) {
	case TRUNCATE:
	case CUT:
		own_must(ftruncate(fd, (off_t)to) == 0, "ftruncate");
		break;
	case ALLOCATE:
		own_must(posix_fallocate(fd, (off_t)len, (off_t)(to - len)) == 0,
			 "posix_fallocate");
		break;
	case WRITE:
		memcpy(data + place_of(way, len) - len, &op, 8);
		own_must(pwrite(fd, data, 300, (off_t)len) == 300, "pwrite");
		break;
	case FILL:
		own_must(pwrite(fd, &op, 8, (off_t)place_of(way, len)) == 8,
			 "pwrite");
		break;
	default:
		break;
	}
}

static volatile uint64_t *number_at(char *map, uint64_t op)
{
	return (volatile uint64_t *)(map + op % 4 * OWN_PAGE);
}

static void remap(struct own_file *file)
{
	own_must(munmap(file->map, file->len) == 0, "munmap");
	file->map = mmap(NULL, file->len, PROT_READ | PROT_WRITE, MAP_SHARED,
			 file->fd, 0);
	own_must(file->map != MAP_FAILED, "mmap");
}

static void run(const char *dir, uint64_t seed, uint64_t ops)
{
	struct own_file file;
	size_t len = LEAST;
	void *beside;

	own_create(&file, dir, "grow", LEAST);
	own_must(posix_fallocate(file.fd, 0, LEAST) == 0, "posix_fallocate");
	beside = mmap(NULL, OWN_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd,
		      0);
	own_must(beside != MAP_FAILED, "mmap");
	memset(file.map, 0, FIXED);
	own_sync(&file, 0, FIXED);
	for (uint64_t op = 1; op <= ops; op++) {
		enum way way = way_of(seed, op, len);

		mark_intent(op, 0);
		change(file.fd, way, len, op);
		len = len_after(way, len);
		if (getenv("POWERCUT_REMAP"))
			remap(&file);
		else
			*number_at(file.map, op) = op;
		own_sync(&file, 0, FIXED);
		mark_ack(op, 0);
	}
}

struct state {
	size_t len;
	uint64_t number[4];	/* of the pages */
	uint64_t filled;
	uint64_t written;	/* by the last WRITE that is not cut away */
	size_t written_at;
};

static void step(struct state *s, uint64_t seed, uint64_t op)
{
	enum way way = way_of(seed, op, s->len);

	if (!getenv("POWERCUT_REMAP"))
		s->number[op % 4] = op;
	if (way == FILL)
		s->filled = op;
	if (way == WRITE)
		s->written = op, s->written_at = place_of(way, s->len);
	if (way == CUT)
		s->written = 0;
	s->len = len_after(way, s->len);
}

static uint64_t word(const char *data, size_t len, size_t at)
{
	uint64_t value = 0;

	if (at + 8 <= len)
		memcpy(&value, data + at, 8);
	return value;
}

/* What must be there from the state acknowledged to that begun: they are at
 * most one operation apart. */
static const char *compare(const char *data, size_t len, const struct state *a,
			   const struct state *b)
{
	for (size_t i = 0; i < 4; i++) {
		uint64_t value = word(data, len, i * OWN_PAGE);

		if (value != a->number[i] && value != b->number[i])
			return own_say("page %zu has %llu, not %llu", i,
				       (unsigned long long)value,
				       (unsigned long long)a->number[i]);
	}
	if (len != a->len && len != b->len)
		return own_say("the file has %zu bytes, not %zu or %zu", len,
			       a->len, b->len);
	if (a->filled && word(data, len, LEAST - OWN_PAGE) < a->filled)
		return own_say("what operation %llu wrote into allocated room is not there",
			       (unsigned long long)a->filled);
	if (a->written && len == a->len &&
	    word(data, len, a->written_at) != a->written)
		return own_say("what operation %llu appended is not there",
			       (unsigned long long)a->written);
	return NULL;
}

static const char *check(const char *dir, uint64_t seed,
			 const struct own_bounds *bounds)
{
	struct state acked = { .len = LEAST }, begun;
	size_t len = 0;
	char *data = own_read(dir, "grow", &len);
	const char *wrong;

	if (bounds->acked == 0)
		return NULL;
	if (!data)
		return "the file is gone";
	for (uint64_t op = 1; op <= bounds->acked; op++)
		step(&acked, seed, op);
	begun = acked;
	if (bounds->begun > bounds->acked)
		step(&begun, seed, bounds->begun);
	wrong = compare(data, len, &acked, &begun);
	free(data);
	return wrong;
}

int main(int argc, char **argv)
{
	static const struct own_program program = { run, check };

	return own_main(&program, argc, argv);
}
