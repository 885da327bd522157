/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * op.c: the generator, and operations as text.
 *
 * Design: each argument is drawn from a few tables in which the odd values
 * are rare enough that most calls succeed. Ranges favour few pages, so that
 * mappings are cut, overlaid and moved over each other all the time.
 */
#include "tests/differential/op.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/mman.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/support/t_pages.h"

#define RECENT	6
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *const op_names[OP_KINDS] = {
#define OP(name, weight, arguments) #name,
#include "tests/differential/ops.def"
#undef OP
};

static const char *const op_arguments[OP_KINDS] = {
#define OP(name, weight, arguments) arguments,
#include "tests/differential/ops.def"
#undef OP
};

static const unsigned int weights[OP_KINDS] = {
#define OP(name, weight, arguments) weight,
#include "tests/differential/ops.def"
#undef OP
};

struct maker {
	uint64_t state;
	size_t unit;		/* bytes */
	bool strange_flags;
	bool locks;		/* this sequence locks memory */
	/* What each process mapped last: there most of the rest happens. */
	struct recent {
		struct { uint64_t place, len; } ranges[RECENT];
		size_t n;
	} recent[PROCESSES], *mine;
};

static uint64_t below(struct maker *m, uint64_t n)
{
	return t_random(&m->state) % n;
}

static bool one_in(struct maker *m, uint64_t n)
{
	return below(m, n) == 0;
}

static uint64_t pick(struct maker *m, const uint64_t *from, size_t n)
{
	return from[below(m, n)];
}

#define PICK(m, table) pick(m, table, COUNT(table))

static uint64_t units(struct maker *m, uint64_t most)
{
	return 1 + below(m, one_in(m, 4) ? most : 4);
}

/* A length of whole units, now and then a little less, or nothing at all. */
static uint64_t range_len(struct maker *m)
{
	uint64_t len = units(m, 12) * m->unit;

	if (one_in(m, 8))
		len -= below(m, PAGE);
	if (one_in(m, 12) && m->unit > PAGE)
		len = PAGE * (1 + below(m, 600));
	return one_in(m, 60) ? 0 : len;
}

static uint64_t slot_place(struct maker *m, uint64_t offset)
{
	return (1 + below(m, SLOTS)) << 32 | offset;
}

/* A place where a range begins: aligned but for one in forty. */
static uint64_t range_place(struct maker *m)
{
	uint64_t offset = below(m, ARENA_UNITS) * m->unit;

	if (one_in(m, 10) && m->unit > PAGE)
		offset += PAGE * below(m, m->unit / PAGE);
	if (one_in(m, 40))
		offset += below(m, PAGE);
	if (one_in(m, 8))
		return slot_place(m, one_in(m, 2) ? 0 : below(m, 3) * m->unit);
	return offset;
}

/* Part or all of what was mapped lately, or of anything. */
static void range(struct maker *m, uint64_t *place, uint64_t *len)
{
	size_t i = below(m, RECENT);
	uint64_t pages, first;

	*place = range_place(m);
	*len = range_len(m);
	if (i >= m->mine->n || one_in(m, 4))
		return;
	pages = (m->mine->ranges[i].len + m->unit - 1) / m->unit;
	first = one_in(m, 2) ? 0 : below(m, pages);
	pages = one_in(m, 2) ? pages - first : 1 + below(m, pages - first);
	*place = m->mine->ranges[i].place + first * m->unit;
	*len = pages * m->unit;
}

static uint64_t byte_place(struct maker *m)
{
	uint64_t place, len;

	range(m, &place, &len);
	if (one_in(m, 2))
		place += below(m, PAGE);
	else if (one_in(m, 2))
		place += PAGE - 1 - below(m, 70);
	return place & ~(one_in(m, 2) ? 3u : 0u);
}

/* At and around what the shim and libc decide by. */
static uint64_t byte_len(struct maker *m)
{
	static const uint64_t near[] = {
		1, 8, 16, 32, 64, 128, 256, 512, 1024, 1536, 2048, 4096, 4096,
		8192, 16384,
	};
	uint64_t len = PICK(m, near) + below(m, 5) - 2;

	if (one_in(m, 4))
		len = below(m, 9000);
	if (one_in(m, 20))
		len = m->unit + below(m, m->unit);
	return len > (uint64_t)1 << 40 ? 0 : len;
}

static uint64_t handle(struct maker *m)
{
	if (one_in(m, 50))
		return HANDLE_DIRECTORY + below(m, 2);
	return below(m, FILES) * 3 +
	       (one_in(m, 8) ? 1 + below(m, 2) : 0);
}

static uint64_t file_place(struct maker *m)
{
	uint64_t offset = below(m, FILE_UNITS) * m->unit;

	return one_in(m, 4) ? offset + below(m, PAGE) : offset;
}

static uint64_t protection(struct maker *m)
{
	static const uint64_t rare[] = {
		PROT_NONE, PROT_READ, PROT_READ, PROT_WRITE, PROT_EXEC,
		PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE | PROT_EXEC,
		0x40 | PROT_READ,
	};

	return one_in(m, 6) ? PICK(m, rare) : PROT_READ | PROT_WRITE;
}

static uint64_t map_flags(struct maker *m)
{
	static const uint64_t types[] = {
		MAP_SHARED, MAP_SHARED, MAP_SHARED, MAP_SHARED,
		MAP_SHARED_VALIDATE, MAP_PRIVATE,
		MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS,
	};
	static const uint64_t places[] = {
		MAP_FIXED, MAP_FIXED, MAP_FIXED, MAP_FIXED_NOREPLACE,
		MAP_FIXED_NOREPLACE, MAP_FIXED | MAP_FIXED_NOREPLACE, 0, 0,
	};
	static const uint64_t more[] = {
		MAP_POPULATE, MAP_LOCKED, MAP_NORESERVE, MAP_NONBLOCK,
		MAP_POPULATE | MAP_NONBLOCK, MAP_STACK, MAP_GROWSDOWN,
		MAP_DENYWRITE, MAP_EXECUTABLE, MAP_HUGETLB, MAP_SYNC,
		MAP_32BIT, 0x8, MAP_TYPE,
	};
	uint64_t flags = PICK(m, types) | PICK(m, places);

	if (one_in(m, 8))
		flags |= PICK(m, more);
	if (m->strange_flags && one_in(m, 30))
		flags |= 0x8000000;
	if (!m->locks)
		flags &= ~(uint64_t)MAP_LOCKED;
	return flags;
}

static void remember(struct maker *m, uint64_t place, uint64_t len)
{
	size_t i = m->mine->n < RECENT ? m->mine->n++ : below(m, RECENT);

	m->mine->ranges[i].place = place;
	m->mine->ranges[i].len = len;
}

static void make_mmap(struct maker *m, uint64_t *arg)
{
	arg[0] = below(m, ARENA_UNITS) * m->unit;
	if (one_in(m, 12) && m->unit > PAGE)
		arg[0] += PAGE * below(m, m->unit / PAGE);
	if (one_in(m, 60))
		arg[0] += below(m, PAGE);
	arg[1] = range_len(m);
	arg[2] = protection(m);
	arg[3] = map_flags(m);
	arg[4] = handle(m);
	arg[5] = below(m, one_in(m, 3) ? FILE_UNITS : 6) * m->unit;
	if (one_in(m, 50))
		arg[5] += 1 + below(m, PAGE - 1);
	if (one_in(m, 50))
		arg[5] = (uint64_t)1 << (30 + below(m, 33));
	arg[6] = 1 + below(m, SLOTS);
	if (!(arg[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE)) && one_in(m, 2))
		arg[0] = NO_PLACE;
	if ((arg[3] & MAP_TYPE) != MAP_PRIVATE && arg[1])
		remember(m, arg[0] == NO_PLACE ? arg[6] << 32 : arg[0],
			 arg[1]);
}

static void make_munmap(struct maker *m, uint64_t *arg)
{
	arg[0] = range_place(m);
	arg[1] = range_len(m);
}

static void make_mremap(struct maker *m, uint64_t *arg)
{
	static const uint64_t flags[] = {
		0, MREMAP_MAYMOVE, MREMAP_MAYMOVE,
		MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_FIXED,
		MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_FIXED,
		MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
		MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
		MREMAP_DONTUNMAP, 8,
	};

	range(m, &arg[0], &arg[1]);
	arg[2] = one_in(m, 3) ? arg[1] : range_len(m);
	arg[3] = PICK(m, flags);
	arg[4] = below(m, ARENA_UNITS) * m->unit;
	if (one_in(m, 40))
		arg[4] += below(m, PAGE);
	arg[5] = 1 + below(m, SLOTS);
	if (one_in(m, 12))
		arg[1] = 0;
}

static void make_mprotect(struct maker *m, uint64_t *arg)
{
	range(m, &arg[0], &arg[1]);
	arg[2] = protection(m);
	/* 0: mprotect; else pkey_mprotect with the key + 2. */
	arg[3] = one_in(m, 12) ? 1 + below(m, 3) : 0;
}

static void make_madvise(struct maker *m, uint64_t *arg)
{
	static const uint64_t advice[] = {
		MADV_DONTFORK, MADV_DONTFORK, MADV_DOFORK, MADV_DOFORK,
		MADV_DONTNEED, MADV_DONTNEED, MADV_REMOVE, MADV_REMOVE,
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
		MADV_FREE, MADV_DONTDUMP, MADV_DODUMP, MADV_COLD,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_WIPEONFORK,
		MADV_KEEPONFORK, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
		102 /* MADV_GUARD_INSTALL */, 103 /* MADV_GUARD_REMOVE */,
		9999,
	};

	range(m, &arg[0], &arg[1]);
	arg[2] = PICK(m, advice);
}

static void make_mlock(struct maker *m, uint64_t *arg)
{
	range(m, &arg[0], &arg[1]);
	/* mlock, mlock2(MLOCK_ONFAULT), mlock2(bad), munlock */
	arg[2] = m->locks ? below(m, 5) : 3;
}

static void make_msync(struct maker *m, uint64_t *arg)
{
	static const uint64_t rare[] = {
		0, MS_ASYNC, MS_ASYNC, MS_SYNC | MS_INVALIDATE,
		MS_SYNC | MS_INVALIDATE, MS_ASYNC | MS_INVALIDATE,
		MS_INVALIDATE, MS_SYNC | MS_ASYNC, 8, 0x80000004, (uint64_t)-1,
	};
	static const uint64_t lens[] = {
		(uint64_t)-1, (uint64_t)-4095, (uint64_t)-4096,
		(uint64_t)-8192, (uint64_t)1 << 63, (uint64_t)1 << 46,
	};

	range(m, &arg[0], &arg[1]);
	arg[2] = one_in(m, 3) ? PICK(m, rare) : MS_SYNC;
	if (one_in(m, 5))
		arg[1] = byte_len(m);
	if (one_in(m, 40))
		arg[1] = PICK(m, lens);
}

static void make_remap_file_pages(struct maker *m, uint64_t *arg)
{
	range(m, &arg[0], &arg[1]);
	arg[2] = below(m, FILE_UNITS) * (m->unit / PAGE);
}

static void make_ftruncate(struct maker *m, uint64_t *arg)
{
	arg[0] = handle(m);
	arg[1] = (one_in(m, 3) ? below(m, FILE_UNITS + 1)
			       : FILE_UNITS - below(m, 10)) * m->unit;
	if (one_in(m, 3))
		arg[1] += below(m, PAGE);
	if (one_in(m, 50))
		arg[1] = (uint64_t)-5;
}

static void make_fallocate(struct maker *m, uint64_t *arg)
{
	static const uint64_t modes[] = {
		0, FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE,
	};

	arg[0] = handle(m);
	arg[1] = PICK(m, modes);
	arg[2] = file_place(m);
	arg[3] = range_len(m);
}

static void make_write(struct maker *m, uint64_t *arg)
{
	arg[0] = handle(m);
	arg[1] = file_place(m);
	arg[2] = byte_len(m);
	arg[3] = one_in(m, 4) ? byte_place(m) : NO_PLACE;
}

static void make_read(struct maker *m, uint64_t *arg)
{
	arg[0] = handle(m);
	arg[1] = file_place(m);
	arg[2] = byte_len(m);
	arg[3] = byte_place(m);
}

static void make_fsync(struct maker *m, uint64_t *arg)
{
	arg[0] = handle(m);
	arg[1] = below(m, 2);
}

static void make_reopen(struct maker *m, uint64_t *arg)
{
	arg[0] = below(m, FILES);
	/* the same file, or a new one in its place */
	arg[1] = one_in(m, 3);
}

static void make_store(struct maker *m, uint64_t *arg)
{
	arg[0] = byte_place(m);
	arg[1] = 1 + below(m, 100);
	arg[2] = below(m, 256);
}

static void make_load(struct maker *m, uint64_t *arg)
{
	arg[0] = byte_place(m);
	arg[1] = 1 + below(m, 5000);
}

static void make_copy(struct maker *m, uint64_t *arg)
{
	arg[0] = byte_place(m);
	arg[1] = NO_PLACE;
	if (one_in(m, 5))
		arg[1] = one_in(m, 2) ? byte_place(m)
				      : arg[0] + below(m, 9000) - 4500;
	arg[2] = byte_len(m);
	arg[3] = below(m, 100);
}

static void make_set(struct maker *m, uint64_t *arg)
{
	arg[0] = byte_place(m);
	arg[1] = below(m, 256);
	arg[2] = byte_len(m);
	arg[3] = below(m, 100);
}

static void make_fork(struct maker *m, uint64_t *arg)
{
	arg[0] = 1 + below(m, 12);
}

static void (*const makers[OP_KINDS])(struct maker *, uint64_t *) = {
#define OP(name, weight, arguments) [OP_##name] = make_##name,
#include "tests/differential/ops.def"
#undef OP
};

static uint8_t some_kind(struct maker *m)
{
	unsigned int all = 0;
	uint64_t left;
	int kind = 0;

	for (int i = 0; i < OP_KINDS; i++)
		all += weights[i];
	left = below(m, all);
	while (left >= weights[kind])
		left -= weights[kind++];
	return (uint8_t)kind;
}

void batch_generate(struct batch *batch, uint64_t seed, uint32_t nops,
		    bool strange_flags)
{
	struct maker m = {
		.state = seed * 0x9e3779b97f4a7c15u + 1,
		.strange_flags = strange_flags,
	};
	uint8_t process = 0;
	uint64_t stay = 0;

	m.state += m.state == 0;
	below(&m, 2);
	batch->nops = nops;
	batch->unit_pages = one_in(&m, 12) ? 256 : 1;
	m.unit = batch->unit_pages * PAGE;
	m.locks = one_in(&m, 3);
	for (int i = 0; i < FILES; i++)
		batch->file_size[i] = (one_in(&m, 4)
				       ? below(&m, FILE_UNITS + 1)
				       : FILE_UNITS - below(&m, 8)) * m.unit +
				      (one_in(&m, 2) ? below(&m, PAGE) : 0);
	for (uint32_t i = 0; i < nops; i++) {
		struct op *op = &batch->ops[i];

		memset(op, 0, sizeof(*op));
		/* What a forked child does is its parent's share. */
		if (stay > 0)
			stay--;
		else if (one_in(&m, 4))
			process = (uint8_t)below(&m, PROCESSES);
		op->process = process;
		m.mine = &m.recent[process];
		/* Only a second msync can be other than the first. */
		if (i > 0 && op[-1].kind == OP_msync && one_in(&m, 2)) {
			*op = op[-1];
			op->process = process;
			continue;
		}
		op->kind = some_kind(&m);
		makers[op->kind](&m, op->arg);
		if (op->kind == OP_fork)
			stay = op->arg[0];
	}
}

static int argument_count(const char *names)
{
	int n = 1;

	for (; *names; names++)
		n += *names == ' ';
	return n;
}

void op_print(FILE *out, const struct op *op)
{
	fprintf(out, "%c %s", 'a' + op->process, op_names[op->kind]);
	for (int i = 0; i < argument_count(op_arguments[op->kind]); i++)
		fprintf(out, " %#llx", (unsigned long long)op->arg[i]);
}

void batch_print(FILE *out, const struct batch *batch)
{
	fprintf(out, "unit %u files", batch->unit_pages);
	for (int i = 0; i < FILES; i++)
		fprintf(out, " %#llx",
			(unsigned long long)batch->file_size[i]);
	fputc('\n', out);
	for (uint32_t i = 0; i < batch->nops; i++) {
		op_print(out, &batch->ops[i]);
		fprintf(out, "\t# %s\n", op_arguments[batch->ops[i].kind]);
	}
}

static int kind_named(const char *name)
{
	for (int i = 0; i < OP_KINDS; i++)
		if (strcmp(name, op_names[i]) == 0)
			return i;
	return -1;
}

static bool parse_op(const char *line, struct op *op)
{
	char process, name[32];
	int n, used, kind;

	memset(op, 0, sizeof(*op));
	if (sscanf(line, "%c %31s%n", &process, name, &used) != 2)
		return false;
	kind = kind_named(name);
	if (kind < 0 || process < 'a' || process >= 'a' + PROCESSES)
		return false;
	op->process = (uint8_t)(process - 'a');
	op->kind = (uint8_t)kind;
	n = argument_count(op_arguments[kind]);
	for (int i = 0; i < n; i++) {
		unsigned long long value;

		line += used;
		if (sscanf(line, "%llx%n", &value, &used) != 1)
			return false;
		op->arg[i] = value;
	}
	return true;
}

bool batch_parse(FILE *in, struct batch *batch)
{
	unsigned long long size[FILES];
	char line[512];

	batch->nops = 0;
	if (fscanf(in, " unit %u files %llx %llx %llx %llx\n",
		   &batch->unit_pages, &size[0], &size[1], &size[2],
		   &size[3]) != 5) {
		fprintf(stderr, "differ: the first line is not 'unit N files SIZE...'\n");
		return false;
	}
	for (int i = 0; i < FILES; i++)
		batch->file_size[i] = size[i];
	while (fgets(line, sizeof(line), in)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (batch->nops == OPS_MAX ||
		    !parse_op(line, &batch->ops[batch->nops])) {
			fprintf(stderr, "differ: not an operation: %s", line);
			return false;
		}
		batch->nops++;
	}
	return true;
}
