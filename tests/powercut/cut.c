/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cut: makes media as power cuts leave them, from what observe.c wrote down.
 *
 *	cut TRACE BASE adr|eadr [ATOM [SECTOR_FROM SECTOR_TO [locks]]]
 *
 * With "locks" the kernel's locked instructions are fences as well. It reads
 * commands, a line each, and answers each with lines and a "." at last:
 *
 *	marks			POSITION KIND STREAM NUMBER INSTRUCTIONS, of each
 *	cut POS MODE SEED FILE	the medium after a cut before record POS
 *	lost			lines of the last cut that lost a store
 *	verify MEDIUM		is the whole trace, on BASE, the MEDIUM?
 *	counts			what was done between the last MARK_BEGIN and the end
 *
 * Design: each line has the stores that are not durable for certain, in order.
 * A flush followed by a fence of the same CPU makes those before the flush
 * durable; a streamed store becomes durable by a fence of its CPU; with eADR
 * an ordinary store is durable at once. What is durable leaves the list from
 * the front. A cut applies, to each group of ATOM bytes (8: words of a line,
 * by themselves), the first stores up to a place that chance chooses, and
 * every later one that is durable for certain. README.md says why.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace.h"

enum { LINE = 64, SECTOR = 512, PAGE = 4096, CPUS = 256, ATOM_MAX = PAGE };

struct entry {
	uint64_t value, pc, position;
	uint32_t pass;		/* of a block write over its sector; else 0 */
	uint8_t offset, size;	/* within the line */
	uint8_t streams, durable;
};

struct line {
	struct entry *entries;
	uint32_t n, room;
	uint64_t dropped;	/* entries that were before entries[0] */
	uint32_t place;		/* in active */
};

struct sector {
	uint32_t pass, complete;
};

/* What a fence of one CPU will make durable. */
struct pending {
	uint64_t line, upto;
	bool streams;
};

struct pendings {
	struct pending *items;
	size_t n, room;
};

static const struct record *trace;
static uint64_t nrecords, position, size;
static uint8_t *durable, *used;
static const char *base_name;
static struct line *lines;
static struct sector *sectors;
static uint64_t *active;
static size_t nactive, active_room;
static struct pendings pendings[CPUS];
static bool eadr, locks;
static uint64_t atom = 8, sector_from, sector_to;

static struct counts {
	uint64_t stores, streams, flushes, fences, lost_flushes, bytes_stored,
		bytes_flushed, bytes_streamed;
} totals[2];	/* the programs', the kernel's */

static void fatal(const char *what)
{
	perror(what);
	exit(1);
}

static void *grown(void *items, size_t *room, size_t n, size_t size_of)
{
	if (n < *room)
		return items;
	*room = *room ? *room * 2 : 16;
	items = realloc(items, *room * size_of);
	if (!items)
		fatal("memory");
	return items;
}

/* --------------------------------------------------------------- replay */

static void activate(uint64_t number)
{
	active = grown(active, &active_room, nactive, sizeof(active[0]));
	lines[number].place = (uint32_t)nactive;
	active[nactive++] = number;
}

static void deactivate(struct line *line)
{
	uint64_t last = active[--nactive];

	active[line->place] = last;
	lines[last].place = line->place;
}

static void apply(uint8_t *content, const struct entry *e)
{
	memcpy(content + e->offset, &e->value, e->size);
}

/* What is durable leaves the list from the front. */
static void settle(uint64_t number)
{
	struct line *line = &lines[number];
	uint32_t n = 0;

	while (n < line->n && line->entries[n].durable)
		apply(durable + number * LINE, &line->entries[n++]);
	if (n == 0)
		return;
	line->n -= n;
	line->dropped += n;
	memmove(line->entries, line->entries + n,
		line->n * sizeof(line->entries[0]));
	if (line->n == 0)
		deactivate(line);
}

/* The kernel writes a block from its first byte to its last. */
static uint32_t pass_of(const struct record *r)
{
	uint64_t offset = record_offset(r);
	struct sector *s = &sectors[offset / SECTOR];

	if (r->pc < sector_from || r->pc >= sector_to)
		return 0;
	if (offset % SECTOR == 0)
		s->pass++;
	if (offset % SECTOR + record_size(r) == SECTOR)
		s->complete = s->pass;
	return s->pass;
}

static void wait_for_fence(unsigned int cpu, uint64_t line, uint64_t upto,
			   bool streams)
{
	struct pendings *p = &pendings[cpu];
	size_t room = p->room;

	p->items = grown(p->items, &room, p->n, sizeof(p->items[0]));
	p->room = room;
	p->items[p->n++] = (struct pending){ line, upto, streams };
}

static void replay_store(const struct record *r, bool streams)
{
	uint64_t number = record_offset(r) / LINE;
	struct line *line = &lines[number];
	size_t room = line->room;
	struct entry e = {
		.value = r->value, .pc = r->pc, .position = position,
		.offset = record_offset(r) % LINE,
		.size = (uint8_t)record_size(r),
		.streams = streams, .durable = eadr && !streams,
	};

	if (streams)
		e.pass = pass_of(r);
	used[number * LINE / PAGE] = 1;
	if (line->n == 0)
		activate(number);
	line->entries = grown(line->entries, &room, line->n, sizeof(e));
	line->room = (uint32_t)room;
	line->entries[line->n++] = e;
	if (streams)
		wait_for_fence(record_cpu(r), number, line->dropped + line->n,
			       true);
	else if (eadr)
		settle(number);
}

static void replay_flush(const struct record *r)
{
	uint64_t number = record_offset(r) / LINE;
	const struct line *line = &lines[number];

	if (line->n > 0)
		wait_for_fence(record_cpu(r), number, line->dropped + line->n,
			       false);
}

/* A flush reaches caches, not the buffers of streams: those wait for a fence
 * of the CPU that filled them. */
static void drain(const struct pending *p)
{
	struct line *line = &lines[p->line];
	uint64_t n = p->upto > line->dropped ? p->upto - line->dropped : 0;

	if (p->streams && n > 0)
		line->entries[n - 1].durable = 1;
	for (uint64_t i = 0; !p->streams && i < n; i++)
		if (!line->entries[i].streams)
			line->entries[i].durable = 1;
	settle(p->line);
}

static void replay_fence(const struct record *r)
{
	struct pendings *p = &pendings[record_cpu(r)];

	for (size_t i = 0; i < p->n; i++)
		drain(&p->items[i]);
	p->n = 0;
}

static void replay_to(uint64_t to)
{
	for (; position < to; position++) {
		const struct record *r = &trace[position];

		switch (record_type(r)) {
		case RECORD_STORE: replay_store(r, false); break;
		case RECORD_STREAM: replay_store(r, true); break;
		case RECORD_FLUSH: replay_flush(r); break;
		case RECORD_FENCE: replay_fence(r); break;
		case RECORD_LOCKED:
			if (locks)
				replay_fence(r);
			break;
		}
	}
}

static void map_base(void)
{
	int fd = open(base_name, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		fatal(base_name);
	size = (uint64_t)st.st_size;
	durable = mmap(durable, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | (durable ? MAP_FIXED : 0), fd, 0);
	if (durable == MAP_FAILED)
		fatal(base_name);
	if (!used) {
		used = calloc(size / PAGE, 1);
		for (off_t at = 0; (at = lseek(fd, at, SEEK_DATA)) >= 0;
		     at += PAGE)
			used[at / PAGE] = 1;
	}
	close(fd);
}

static void restart(void)
{
	map_base();
	for (uint64_t i = 0; lines && i < size / LINE; i++) {
		lines[i].n = 0;
		lines[i].dropped = 0;
	}
	if (!lines)
		lines = calloc(size / LINE, sizeof(lines[0]));
	free(sectors);
	sectors = calloc(size / SECTOR, sizeof(sectors[0]));
	for (int i = 0; i < CPUS; i++)
		pendings[i].n = 0;
	nactive = 0;
	position = 0;
	if (!lines || !sectors || !used)
		fatal("memory");
}

static void seek(uint64_t to)
{
	if (to < position)
		restart();
	replay_to(to < nrecords ? to : nrecords);
}

/* ------------------------------------------------------------------ cuts */

enum mode {
	MODE_NONE, MODE_ALL, MODE_RANDOM, MODE_HALF, MODE_TORN, MODE_ONE,
	MODE_BUT_ONE, MODES,
};

static const char *const mode_names[MODES] = {
	"none", "all", "random", "half", "torn", "one", "but-one",
};

static uint64_t chance(uint64_t seed, uint64_t n)
{
	uint64_t z = seed + (n + 1) * 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* A choice for one group: entries from this position on did not arrive. */
struct limit {
	uint64_t words[LINE / 8];
	uint64_t blocks;	/* 1: block writes that are complete arrived */
};

static const uint64_t never, always = UINT64_MAX;

static void all_words(struct limit *limit, uint64_t value)
{
	for (int i = 0; i < LINE / 8; i++)
		limit->words[i] = value;
}

static bool follows_in_atom(const struct record *before,
			    const struct record *r)
{
	return record_type(before) == RECORD_STORE &&
	       record_type(r) == RECORD_STORE &&
	       record_cpu(before) == record_cpu(r) &&
	       record_offset(before) / atom == record_offset(r) / atom;
}

/*
 * An atom of a sector arrives with stores that follow each other at once: the
 * place at or behind this one where they end.
 */
static uint64_t behind_stores(uint64_t at)
{
	while (atom >= LINE && at > 0 && at < nrecords &&
	       follows_in_atom(&trace[at - 1], &trace[at]))
		at++;
	return at;
}

/* Behind one of the group's stores, or before the first of them. */
static uint64_t random_limit(uint64_t first, uint64_t seed, int word)
{
	uint64_t candidates[4096];
	size_t n = 0;

	for (uint64_t i = first; i < first + (atom < LINE ? 1 : atom / LINE); i++)
		for (uint32_t k = 0; k < lines[i].n && n < 4096; k++) {
			const struct entry *e = &lines[i].entries[k];

			if (!e->durable && !e->pass &&
			    (word < 0 || e->offset / 8 == word))
				candidates[n++] =
					behind_stores(e->position + 1);
		}
	if (n == 0)
		return always;
	n = chance(seed, first * 8 + (uint64_t)(word + 1)) % (n + 1);
	return n == 0 ? never : candidates[n - 1];
}

static bool same_sector(uint64_t a, uint64_t b)
{
	return a / (SECTOR / LINE) == b / (SECTOR / LINE);
}

static void choose(enum mode mode, uint64_t seed, uint64_t chosen,
		   uint64_t number, struct limit *limit)
{
	uint64_t group = atom < LINE ? number : number - number % (atom / LINE);
	uint64_t coin = chance(seed, group * 8);

	limit->blocks = chance(seed, ~(number / (SECTOR / LINE))) & 1;
	switch (mode) {
	case MODE_NONE: limit->blocks = 0, all_words(limit, never); break;
	case MODE_ALL: limit->blocks = 1, all_words(limit, always); break;
	case MODE_HALF:
		all_words(limit, coin & 1 ? always : never);
		break;
	case MODE_ONE:
		limit->blocks = same_sector(number, chosen);
		all_words(limit, group == chosen ? always : never);
		break;
	case MODE_BUT_ONE:
		limit->blocks = !same_sector(number, chosen);
		all_words(limit, group != chosen ? always : never);
		break;
	case MODE_TORN:
		if (atom >= LINE)
			all_words(limit, random_limit(group, seed, -1));
		for (int i = 0; atom < LINE && i < LINE / 8; i++)
			limit->words[i] = random_limit(number, seed, i);
		break;
	default:
		all_words(limit, random_limit(group, seed, -1));
	}
}

static bool arrives(const struct entry *e, uint64_t number,
		    const struct limit *limit)
{
	if (e->durable)
		return true;
	if (e->pass)
		return limit->blocks &&
		       e->pass <= sectors[number * LINE / SECTOR].complete;
	return e->position < limit->words[e->offset / 8];
}

struct lost {
	uint64_t offset, pc, position;
	uint32_t stores;
	bool streams;
};

static struct lost *losses;
static size_t nlosses, losses_room;

static void lose(uint64_t number, const struct entry *e)
{
	struct lost *last = nlosses ? &losses[nlosses - 1] : NULL;

	if (!last || last->offset != number * LINE) {
		losses = grown(losses, &losses_room, nlosses, sizeof(*last));
		last = &losses[nlosses++];
		*last = (struct lost){ .offset = number * LINE };
	}
	last->pc = e->pc;
	last->position = e->position;
	last->streams = e->streams;
	last->stores++;
}

static void build_line(enum mode mode, uint64_t seed, uint64_t chosen,
		       uint64_t number, int fd)
{
	uint8_t content[LINE];
	struct limit limit;

	choose(mode, seed, chosen, number, &limit);
	memcpy(content, durable + number * LINE, LINE);
	for (uint32_t i = 0; i < lines[number].n; i++) {
		const struct entry *e = &lines[number].entries[i];

		if (arrives(e, number, &limit))
			apply(content, e);
		else
			lose(number, e);
	}
	if (pwrite(fd, content, LINE, (off_t)(number * LINE)) != LINE)
		fatal("pwrite");
}

static void write_durable(int fd)
{
	uint64_t pages = size / PAGE;

	if (ftruncate(fd, 0) || ftruncate(fd, (off_t)size))
		fatal("ftruncate");
	for (uint64_t i = 0, n; i < pages; i += n ? n : 1) {
		for (n = 0; i + n < pages && used[i + n]; n++)
			;
		if (n && pwrite(fd, durable + i * PAGE, n * PAGE,
				(off_t)(i * PAGE)) != (ssize_t)(n * PAGE))
			fatal("pwrite");
	}
}

static void make_cut(enum mode mode, uint64_t seed, const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	uint64_t chosen = 0;

	if (fd < 0)
		fatal(name);
	if (nactive)
		chosen = active[chance(seed, 1) % nactive];
	if (atom > LINE)
		chosen -= chosen % (atom / LINE);
	write_durable(fd);
	nlosses = 0;
	for (size_t i = 0; i < nactive; i++)
		build_line(mode, seed, chosen, active[i], fd);
	close(fd);
	printf("%zu %zu\n", nactive, nlosses);
}

/* -------------------------------------------------------------- commands */

static void command_cut(char *words)
{
	char mode_name[16], name[4096];
	unsigned long long at, seed;
	int mode = 0;

	if (sscanf(words, "%llu %15s %llu %4095[^\n]", &at, mode_name, &seed,
		   name) != 4) {
		puts("what?");
		return;
	}
	while (mode < MODES && strcmp(mode_names[mode], mode_name) != 0)
		mode++;
	if (mode == MODES) {
		puts("no such mode");
		return;
	}
	seek(behind_stores(at));
	make_cut((enum mode)mode, seed, name);
}

static void command_lost(void)
{
	for (size_t i = 0; i < nlosses; i++)
		printf("%#llx %#llx %llu %u %s\n",
		       (unsigned long long)losses[i].offset,
		       (unsigned long long)losses[i].pc,
		       (unsigned long long)losses[i].position,
		       losses[i].stores, losses[i].streams ? "stream" : "store");
}

static void command_marks(void)
{
	for (uint64_t i = 0; i < nrecords; i++) {
		const struct record *r = &trace[i];

		if (record_type(r) == RECORD_MARK)
			printf("%llu %u %llu %llu %llu\n",
			       (unsigned long long)i, record_size(r),
			       (unsigned long long)record_offset(r),
			       (unsigned long long)r->value,
			       (unsigned long long)r->pc);
	}
	printf("%llu 0 0 0 0\n", (unsigned long long)nrecords);
}

/* Was each store seen? Then base and trace make the medium. */
static void command_verify(char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	const uint8_t *medium = fd < 0 ? MAP_FAILED :
		mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	uint64_t bad = 0, first = 0;

	if (medium == MAP_FAILED)
		fatal(name);
	map_base();
	for (uint64_t i = 0; i < nrecords; i++) {
		const struct record *r = &trace[i];

		if (record_type(r) <= RECORD_STREAM)
			memcpy(durable + record_offset(r), &r->value,
			       record_size(r));
	}
	for (uint64_t i = 0; i < size; i += 8)
		if (memcmp(medium + i, durable + i, 8) != 0 && !bad++)
			first = i;
	printf("%llu %#llx\n", (unsigned long long)bad,
	       (unsigned long long)first);
	munmap((void *)(uintptr_t)medium, size);
	close(fd);
	restart();
}

/* How many bytes a line's write-back carries: the line, if it was stored to. */
static uint64_t dirty_bytes(uint64_t offset, uint8_t *dirty)
{
	uint64_t was = dirty[offset / LINE];

	dirty[offset / LINE] = 0;
	return was ? LINE : 0;
}

static void count(const struct record *r, uint8_t *dirty)
{
	struct counts *c = &totals[r->pc >> 63];
	uint64_t offset = record_offset(r);

	switch (record_type(r)) {
	case RECORD_STORE:
		c->stores++, c->bytes_stored += record_size(r);
		dirty[offset / LINE] = 1;
		break;
	case RECORD_STREAM:
		c->streams++, c->bytes_streamed += record_size(r);
		break;
	case RECORD_FLUSH:
		c->flushes++, c->bytes_flushed += dirty_bytes(offset, dirty);
		break;
	case RECORD_FENCE: c->fences++; break;
	case RECORD_LOST_FLUSH: c->lost_flushes++; break;
	}
}

static void command_counts(void)
{
	uint8_t *dirty = calloc(size / LINE, 1);
	bool counted = false;

	memset(totals, 0, sizeof(totals));
	for (uint64_t i = 0; dirty && i < nrecords; i++) {
		const struct record *r = &trace[i];

		if (record_type(r) == RECORD_MARK) {
			if (record_size(r) == MARK_BEGIN)
				memset(totals, 0, sizeof(totals));
			counted = record_size(r) != MARK_END &&
				  (counted || record_size(r) == MARK_BEGIN);
		} else if (counted) {
			count(r, dirty);
		}
	}
	for (int i = 0; i < 2; i++) {
		const struct counts *c = &totals[i];

		printf("%s stores %llu streams %llu flushes %llu fences %llu lost_flushes %llu bytes_stored %llu bytes_flushed %llu bytes_streamed %llu\n",
		       i ? "kernel" : "program",
		       (unsigned long long)c->stores,
		       (unsigned long long)c->streams,
		       (unsigned long long)c->flushes,
		       (unsigned long long)c->fences,
		       (unsigned long long)c->lost_flushes,
		       (unsigned long long)c->bytes_stored,
		       (unsigned long long)c->bytes_flushed,
		       (unsigned long long)c->bytes_streamed);
	}
	free(dirty);
}

static void answer(char *text)
{
	text[strcspn(text, "\n")] = 0;
	if (strncmp(text, "cut ", 4) == 0)
		command_cut(text + 4);
	else if (strncmp(text, "verify ", 7) == 0)
		command_verify(text + 7);
	else if (strcmp(text, "lost") == 0)
		command_lost();
	else if (strcmp(text, "marks") == 0)
		command_marks();
	else if (strcmp(text, "counts") == 0)
		command_counts();
	else
		puts("what?");
	puts(".");
	fflush(stdout);
}

static void map_trace(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		fatal(name);
	nrecords = (uint64_t)st.st_size / sizeof(trace[0]);
	trace = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (trace == MAP_FAILED)
		fatal(name);
	close(fd);
}

int main(int argc, char **argv)
{
	char text[8192];

	if (argc < 4)
		return 2;
	map_trace(argv[1]);
	base_name = argv[2];
	eadr = strcmp(argv[3], "eadr") == 0;
	if (argc > 4)
		atom = strtoull(argv[4], NULL, 0);
	if (argc > 6) {
		sector_from = strtoull(argv[5], NULL, 0);
		sector_to = strtoull(argv[6], NULL, 0);
	}
	locks = argc > 7 && strcmp(argv[7], "locks") == 0;
	if (atom < 8 || atom > ATOM_MAX || (atom & (atom - 1)))
		return 2;
	restart();
	while (fgets(text, sizeof(text), stdin))
		answer(text);
	return 0;
}
