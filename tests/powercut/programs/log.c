/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * log.c: an append log. A record is as long as chance has it, from one line to
 * several pages, large ones by memcpy; then the pages it lies in are synced.
 * The file grows in every way there is, and now and then is cut to its data.
 */
#include "own.h"

#include <string.h>

struct header {
	uint64_t number, len, sum;
};

enum { GROW = 16 * OWN_PAGE, RECORD_MAX = 12000 };

static size_t record_len(uint64_t seed, uint64_t number)
{
	uint64_t r = own_random(seed, number);

	return r % 4 ? 8 + (r >> 8) % 500 : 8 + (r >> 8) % (RECORD_MAX - 8);
}

static void make_payload(char *to, uint64_t seed, uint64_t number, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t r = own_random(seed ^ number << 20, i);

		memcpy(to + i, &r, len - i < 8 ? len - i : 8);
	}
}

static size_t record_space(size_t payload)
{
	return (sizeof(struct header) + payload + 7) & ~(size_t)7;
}

static size_t append(struct own_file *file, size_t end, uint64_t seed,
		     uint64_t number)
{
	static char payload[RECORD_MAX];
	struct header h = { number, record_len(seed, number), 0 };
	size_t space = record_space(h.len);

	make_payload(payload, seed, number, h.len);
	h.sum = own_sum(payload, h.len);
	if (end + space > file->len)
		own_grow(file, (end + space + GROW) & ~(size_t)(OWN_PAGE - 1));
	memcpy(file->map + end + sizeof(h), payload, h.len);
	memcpy(file->map + end, &h, sizeof(h));
	own_sync(file, end, space);
	return end + space;
}

static void run(const char *dir, uint64_t seed, uint64_t ops)
{
	struct own_file file;
	size_t end = 0;

	own_create(&file, dir, "log", GROW);
	for (uint64_t i = 1; i <= ops; i++) {
		mark_intent(i, 0);
		if (own_random(seed, i) >> 40 & 15)
			end = append(&file, end, seed, i);
		else {
			end = append(&file, end, seed, i);
			own_shrink(&file, (end + OWN_PAGE - 1) &
					  ~(size_t)(OWN_PAGE - 1));
			own_sync(&file, 0, file.len);
		}
		mark_ack(i, 0);
	}
}

/* The end of the record, or 0. */
static size_t check_record(const char *data, size_t len, size_t at,
			   uint64_t seed, uint64_t number)
{
	static char want[RECORD_MAX];
	size_t payload = record_len(seed, number);
	struct header h;

	if (at + record_space(payload) > len)
		return 0;
	memcpy(&h, data + at, sizeof(h));
	make_payload(want, seed, number, payload);
	if (h.number != number || h.len != payload ||
	    h.sum != own_sum(want, payload) ||
	    memcmp(want, data + at + sizeof(h), payload) != 0)
		return 0;
	return at + record_space(payload);
}

static const char *check(const char *dir, uint64_t seed,
			 const struct own_bounds *bounds)
{
	size_t len = 0, at = 0, next;
	char *data = own_read(dir, "log", &len);

	if (!data && bounds->acked > 0)
		return "the log is gone";
	for (uint64_t i = 1; data && i <= bounds->begun; i++, at = next) {
		next = check_record(data, len, at, seed, i);
		if (next)
			continue;
		if (i > bounds->acked)
			break;
		return own_say("record %llu of %llu acknowledged, at %zu of %zu, is not there",
			       (unsigned long long)i,
			       (unsigned long long)bounds->acked, at, len);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct own_program program = { run, check };

	return own_main(&program, argc, argv);
}
