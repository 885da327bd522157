/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pages.c: stores lines here and there in a map and syncs the whole of it, for
 * dirty=track. What POWERCUT_PAGES names happens in every operation of the
 * second half, after tracking has been at work in the first:
 *
 *	fork	a child stores
 *	second	the stores go through a second mapping of the file
 *	resize	the file is made a page longer
 *	large	nothing; but the map is one of 64 MiB, and 1 % of its pages
 *		are stored to each time
 *
 * Every third operation writes a line by write(2) as well. The map lies where
 * no page of it can be huge.
 */
#include "own.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE = 64, LARGE = 64 << 20, SMALL = 4 << 20 };
static char *const place = (char *)0x500000001000;

static size_t map_len(void)
{
	const char *event = getenv("POWERCUT_PAGES");

	return event && strcmp(event, "large") == 0 ? LARGE : SMALL;
}

/* How many an operation has; the last one is that of write(2). */
static size_t lines_of(size_t len)
{
	return len == LARGE ? LARGE / OWN_PAGE / 100 + 1 : 9;
}

static size_t line(uint64_t seed, uint64_t op, size_t k, size_t len)
{
	return (size_t)(own_random(seed, op * 1024 + k) % (len / LINE)) * LINE;
}

static bool writes(uint64_t op)
{
	return op % 3 == 0;
}

static void store(char *map, size_t len, uint64_t seed, uint64_t op)
{
	for (size_t k = 0; k + 1 < lines_of(len); k++)
		for (size_t i = 0; i < LINE; i += 8)
			*(volatile uint64_t *)(map + line(seed, op, k, len) +
					       i) = op;
}

static void store_in_child(char *map, size_t len, uint64_t seed, uint64_t op)
{
	pid_t child = fork();
	int status;

	own_must(child >= 0, "fork");
	if (child == 0) {
		store(map, len, seed, op);
		_exit(0);
	}
	own_must(waitpid(child, &status, 0) == child && status == 0, "child");
}

static char *map_at(int fd, char *where, size_t len)
{
	char *map = mmap(where, len, PROT_READ | PROT_WRITE,
			 MAP_SHARED | (where ? MAP_FIXED : 0), fd, 0);

	own_must(map != MAP_FAILED, "mmap");
	return map;
}

static void write_line(int fd, size_t at, uint64_t op)
{
	uint64_t words[LINE / 8];

	for (size_t i = 0; i < LINE / 8; i++)
		words[i] = op;
	own_must(pwrite(fd, words, LINE, (off_t)at) == LINE, "pwrite");
}

static void operate(struct own_file *file, const char *event, uint64_t seed,
		    uint64_t op)
{
	static char *second;

	if (strcmp(event, "fork") == 0) {
		store_in_child(file->map, file->len, seed, op);
	} else if (strcmp(event, "second") == 0) {
		second = second ? second : map_at(file->fd, NULL, file->len);
		store(second, file->len, seed, op);
	} else {
		if (strcmp(event, "resize") == 0)
			own_must(ftruncate(file->fd, (off_t)(file->len +
				 (op + 1) * OWN_PAGE)) == 0, "ftruncate");
		store(file->map, file->len, seed, op);
	}
	if (writes(op))
		write_line(file->fd, line(seed, op, lines_of(file->len) - 1,
					  file->len), op);
	own_sync(file, 0, file->len);
}

static void run(const char *dir, uint64_t seed, uint64_t ops)
{
	const char *event = getenv("POWERCUT_PAGES");
	size_t len = map_len();
	struct own_file file;

	own_create(&file, dir, "pages", len);
	own_must(munmap(file.map, len) == 0, "munmap");
	file.map = map_at(file.fd, place, len);
	memset(file.map, 0, len);
	own_sync(&file, 0, len);
	own_sync(&file, 0, len);
	mark_begin();
	for (uint64_t op = 1; op <= ops; op++) {
		mark_intent(op, 0);
		operate(&file, event && op > ops / 2 ? event : "", seed, op);
		mark_ack(op, 0);
	}
}

static const char *check(const char *dir, uint64_t seed,
			 const struct own_bounds *bounds)
{
	static uint64_t least[LARGE / LINE], most[LARGE / LINE];
	size_t limit = map_len(), len = 0;
	char *data = own_read(dir, "pages", &len);

	if (bounds->begun == 0)
		return NULL;
	if (!data || len < limit)
		return own_say("the file has %zu bytes", len);
	for (uint64_t op = 1; op <= bounds->begun; op++)
		for (size_t k = 0; k < lines_of(limit); k++) {
			size_t i = line(seed, op, k, limit) / LINE;

			if (k + 1 == lines_of(limit) && !writes(op))
				continue;
			if (op <= bounds->acked)
				least[i] = op;
			most[i] = op;
		}
	for (size_t i = 0; i < limit / 8; i++) {
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
