/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * world.c: the operations, made by two processes in turns.
 *
 * Design: every address that a result could tell is made relative: to the
 * arena, which begins at the same address in both worlds, or to one of the
 * slots, which hold what the kernel placed. Holes are made in the arena alone:
 * into a hole elsewhere the kernel may put a mapping of anybody's.
 *
 * What no two runs need agree in is settled here, in both worlds alike: how far
 * a copy got before it faulted, and what a copy between two mappings of the
 * same page leaves. The destination is then overwritten.
 */
#include "tests/differential/world.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

#include "tests/differential/inspect.h"

#define BOUNDARY	(((uintptr_t)1 << 40) + ((uintptr_t)1 << 30))
#define BUFFER		((size_t)4 << 20)
#define FILE_MOST	((off_t)64 << 20)
/* Copies out of mapped memory are compared page by page with each other. */
#define MAPPED_COPY	((size_t)48 << 10)

static struct self self;
static char *directory, *outside;
static char buffer[BUFFER];

static sigjmp_buf back;
static volatile sig_atomic_t armed;
static char *volatile fault_addr;

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (!armed) {
		signal(number, SIG_DFL);
		return;
	}
	fault_addr = info->si_addr;
	siglongjmp(back, number);
}

static void catch_faults(void)
{
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

/* The signal that body raised, or 0. May be nested. */
static int attempt(void (*body)(void *), void *context)
{
	sigjmp_buf outer;
	int number;

	memcpy(&outer, &back, sizeof(back));
	number = sigsetjmp(back, 1);
	if (number == 0)
		body(context);
	memcpy(&back, &outer, sizeof(back));
	return number;
}

/*
 * Places
 */

static struct slot *slot_of(uint64_t place)
{
	return place >> 32 <= SLOTS ? &self.slots[place >> 32] : NULL;
}

/* The address, if len bytes from there are in the slot; else NULL. */
static char *at(uint64_t place, uint64_t len)
{
	const struct slot *slot = slot_of(place);
	uint64_t offset = place & UINT32_MAX;

	if (!slot || !slot->base || offset > slot->len ||
	    len > slot->len - offset)
		return NULL;
	return slot->base + offset;
}

/* The same for calls that round the length up, or fail because they wrap. */
static char *at_pages(uint64_t place, uint64_t len)
{
	uint64_t rounded = (len + PAGE - 1) & ~(PAGE - 1);

	return at(place, rounded + (place % PAGE ? PAGE : 0));
}

static bool in_arena(const void *addr)
{
	return (uintptr_t)addr >= (uintptr_t)self.slots[0].base &&
	       (uintptr_t)addr < (uintptr_t)self.slots[0].base +
					 self.slots[0].len;
}

static void empty(struct slot *slot)
{
	if (slot->base)
		munmap(slot->base, slot->len);
	slot->base = NULL;
	slot->len = 0;
}

/* What a call that chose an address says. */
static int64_t placed(char *addr, size_t len, struct slot *slot)
{
	if (addr == MAP_FAILED)
		return -1;
	if (in_arena(addr))
		return addr - self.slots[0].base;
	slot->base = addr;
	slot->len = (len + PAGE - 1) & ~(PAGE - 1);
	return (int64_t)1 << 48;
}

static int fd_of(uint64_t handle)
{
	return handle < HANDLES ? self.fds[handle] : -1;
}

/*
 * The operations
 */

static int64_t do_mmap(const uint64_t *arg)
{
	struct slot *slot = &self.slots[arg[6]];
	char *addr = NULL, *got;
	int error;

	if (arg[6] == 0 || arg[6] > SLOTS)
		return SKIPPED;
	if (arg[0] != NO_PLACE) {
		addr = at_pages(arg[0], arg[1]);
		if (!addr || slot_of(arg[0]) != &self.slots[0])
			return SKIPPED;
	}
	if (!(arg[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
		empty(slot);
	else if (!addr)
		return SKIPPED;
	errno = ERRNO_BEFORE;
	got = mmap(addr, arg[1], (int)arg[2], (int)arg[3], fd_of(arg[4]),
		   (off_t)arg[5]);
	error = errno;
	if (got != MAP_FAILED && (arg[3] & MAP_FIXED) && got != addr)
		abort();
	errno = error;
	return placed(got, arg[1], slot);
}

static int64_t do_munmap(const uint64_t *arg)
{
	struct slot *slot = slot_of(arg[0]);

	if (slot && slot != &self.slots[0]) {
		if (!slot->base)
			return SKIPPED;
		empty(slot);
		return 0;
	}
	if (!at_pages(arg[0], arg[1]))
		return SKIPPED;
	return munmap(at(arg[0], 0), arg[1]);
}

/* A mapping in a slot is moved as a whole, so that it leaves no hole. */
static int64_t remap_slot(struct slot *from, struct slot *to,
			  const uint64_t *arg, uint64_t flags, char *new)
{
	struct slot old = *from;
	size_t old_len = arg[1] ? old.len : 0;
	char *got;
	int error;

	if (arg[2] > old_len || (flags & MREMAP_DONTUNMAP))
		flags |= MREMAP_MAYMOVE;
	if (to != from)
		empty(to);
	else if (old_len == 0 || (flags & MREMAP_DONTUNMAP))
		return SKIPPED;
	errno = ERRNO_BEFORE;
	got = mremap(old.base, old_len, arg[2], (int)flags, new);
	error = errno;
	if (got == MAP_FAILED)
		return -1;
	if (old_len && !(flags & MREMAP_DONTUNMAP))
		*from = (struct slot){ NULL, 0 };
	errno = error;
	if (in_arena(got))
		return got - self.slots[0].base;
	return placed(got, arg[2], to);
}

static int64_t do_mremap(const uint64_t *arg)
{
	struct slot *from = slot_of(arg[0]);
	char *old, *new, *got;
	struct slot *to = &self.slots[arg[5]];
	int error;

	new = slot_of(arg[4]) == &self.slots[0] ? at_pages(arg[4], arg[2])
						: NULL;
	if (!from || !new || arg[5] == 0 || arg[5] > SLOTS)
		return SKIPPED;
	if (from != &self.slots[0])
		return from->base ? remap_slot(from, to, arg, arg[3], new)
				  : SKIPPED;
	old = at_pages(arg[0], arg[1] > arg[2] ? arg[1] : arg[2]);
	if (!old)
		return SKIPPED;
	empty(to);
	errno = ERRNO_BEFORE;
	got = mremap(old, arg[1], arg[2], (int)arg[3], new);
	error = errno;
	/* Or a forked child would find a hole in the slot. */
	if (got != MAP_FAILED && !in_arena(got))
		madvise(got, arg[2], MADV_DOFORK);
	errno = error;
	return placed(got, arg[2], to);
}

static int64_t do_mprotect(const uint64_t *arg)
{
	char *addr = at_pages(arg[0], arg[1]);

	if (!addr)
		return SKIPPED;
	if (arg[3])
		return pkey_mprotect(addr, arg[1], (int)arg[2],
				     (int)arg[3] - 2);
	return mprotect(addr, arg[1], (int)arg[2]);
}

static int64_t do_madvise(const uint64_t *arg)
{
	char *addr = at_pages(arg[0], arg[1]);

	/* A forked child would find a hole in the slot. */
	if (!addr || (arg[2] == MADV_DONTFORK && arg[0] >> 32))
		return SKIPPED;
	return madvise(addr, arg[1], (int)arg[2]);
}

static int64_t do_mlock(const uint64_t *arg)
{
	char *addr = at_pages(arg[0], arg[1]);

	if (!addr)
		return SKIPPED;
	switch (arg[2]) {
	case 0:
		return mlock(addr, arg[1]);
	case 1:
		return mlock2(addr, arg[1], MLOCK_ONFAULT);
	case 2:
		return mlock2(addr, arg[1], 4);
	default:
		return munlock(addr, arg[1]);
	}
}

static int64_t do_msync(const uint64_t *arg)
{
	char *addr = at(arg[0], 0);

	/* Long ones wrap, or fail; the others stay in the slot. */
	if (!addr || (arg[1] < (uint64_t)1 << 46 &&
		      !at_pages(arg[0], arg[1])))
		return SKIPPED;
	return msync(addr, arg[1], (int)arg[2]);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static int64_t do_remap_file_pages(const uint64_t *arg)
{
	char *addr = at_pages(arg[0], arg[1]);

	if (!addr)
		return SKIPPED;
	return remap_file_pages(addr, arg[1], 0, arg[2], 0);
}
#pragma GCC diagnostic pop

static int64_t do_ftruncate(const uint64_t *arg)
{
	return ftruncate(fd_of(arg[0]), (off_t)arg[1]);
}

static int64_t do_fallocate(const uint64_t *arg)
{
	struct stat st = { .st_size = 0 };

	fstat(fd_of(arg[0]), &st);
	if ((arg[1] & FALLOC_FL_INSERT_RANGE) &&
	    st.st_size + (off_t)arg[3] > FILE_MOST)
		return SKIPPED;
	errno = ERRNO_BEFORE;
	return fallocate(fd_of(arg[0]), (int)arg[1], (off_t)arg[2],
			 (off_t)arg[3]);
}

static int64_t do_write(const uint64_t *arg)
{
	const char *from = arg[3] == NO_PLACE
			 ? buffer + arg[1] % 1000 : at(arg[3], arg[2]);

	if (!from || arg[2] > BUFFER - 1000)
		return SKIPPED;
	return pwrite(fd_of(arg[0]), from, arg[2], (off_t)arg[1]);
}

static int64_t do_read(const uint64_t *arg)
{
	char *to = at(arg[3], arg[2]);

	if (!to)
		return SKIPPED;
	return pread(fd_of(arg[0]), to, arg[2], (off_t)arg[1]);
}

static int64_t do_fsync(const uint64_t *arg)
{
	return arg[1] ? fdatasync(fd_of(arg[0])) : fsync(fd_of(arg[0]));
}

static int open_file(int file, int access)
{
	static const int flags[] = { O_RDWR, O_RDONLY, O_WRONLY };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%d",
		 file == FILES - 1 ? outside : directory, file);
	return open(path, flags[access] | O_CLOEXEC);
}

/* A new file of the same size under the name, with all that was not written. */
static void replace_file(int file, int fd)
{
	char path[PATH_MAX];
	struct stat st = { .st_size = 0 };
	int new;

	fstat(fd, &st);
	snprintf(path, sizeof(path), "%s/%d",
		 file == FILES - 1 ? outside : directory, file);
	unlink(path);
	new = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (new < 0 || ftruncate(new, st.st_size) ||
	    pwrite(new, buffer + 77, 5000, 0) < 0)
		abort();
	close(new);
}

static int64_t do_reopen(const uint64_t *arg)
{
	int64_t numbers = 0;
	int file = (int)arg[0];

	if (arg[0] >= FILES)
		return SKIPPED;
	if (arg[1])
		replace_file(file, self.fds[file * 3]);
	for (int i = 0; i < 3; i++) {
		close(self.fds[3 * file + i]);
		self.fds[3 * file + i] = open_file(file, i);
		numbers = numbers * 1000 + self.fds[3 * file + i];
	}
	errno = ERRNO_BEFORE;
	return numbers;
}

static void store_bytes(volatile char *to, int value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (char)(value + (int)i);
}

static int64_t do_store(const uint64_t *arg)
{
	char *to = at(arg[0], arg[1]);

	if (!to)
		return SKIPPED;
	store_bytes(to, (int)arg[2], arg[1]);
	return 0;
}

static int64_t do_load(const uint64_t *arg)
{
	const volatile char *from = at(arg[0], arg[1]);
	int64_t sum = 0;

	if (!from)
		return SKIPPED;
	for (size_t i = 0; i < arg[1]; i++)
		sum = sum * 31 + from[i];
	return sum & INT32_MAX;
}

/* One call of a copy or set function. */
struct transfer {
	char *to;
	const char *from;	/* NULL for a set */
	size_t len;
	int value;
	unsigned int how;
	char *returned;
};

static void store_pattern(void *context)
{
	const struct transfer *part = context;

	store_bytes(part->to, 5, part->len);
}

/* Overwrite what can be overwritten: what was there is nobody's promise. */
static void settle(const struct transfer *transfer)
{
	char *end = transfer->to + transfer->len;
	struct transfer part = { .to = transfer->to };

	for (; part.to < end; part.to += part.len) {
		part.len = PAGE - (uintptr_t)part.to % PAGE;
		if (part.len > (size_t)(end - part.to))
			part.len = (size_t)(end - part.to);
		attempt(store_pattern, &part);
	}
}

static void call_copy(void *context)
{
	struct transfer *t = context;
	wchar_t *to = (wchar_t *)(void *)t->to;
	const wchar_t *from = (const wchar_t *)(const void *)t->from;
	size_t wide = t->len / sizeof(wchar_t);

	switch (t->how) {
	case 0: t->returned = memcpy(t->to, t->from, t->len); break;
	case 1: t->returned = memmove(t->to, t->from, t->len); break;
	case 2: t->returned = mempcpy(t->to, t->from, t->len); break;
	case 3: bcopy(t->from, t->to, t->len); break;
	case 4: t->returned = (char *)wmemcpy(to, from, wide); break;
	default: t->returned = (char *)wmemmove(to, from, wide);
	}
}

static void call_set(void *context)
{
	struct transfer *t = context;

	switch (t->how) {
	case 0: t->returned = memset(t->to, t->value, t->len); break;
	case 1: bzero(t->to, t->len); break;
	case 2: explicit_bzero(t->to, t->len); break;
	default:
		t->returned = (char *)wmemset((wchar_t *)(void *)t->to,
					      t->value,
					      t->len / sizeof(wchar_t));
	}
}

static bool is_within(const char *addr, const char *start, size_t len)
{
	return start && addr >= start && addr < start + len;
}

/*
 * What was returned, relative to the destination. A fault is an answer, too, if
 * it is at an address of the program's; which of several pages was met first,
 * and how much was done before, is the function's own business.
 */
static int64_t transfer(void (*call)(void *), struct transfer *t, bool settles)
{
	int number;

	t->returned = t->to;
	errno = ERRNO_BEFORE;
	number = attempt(call, t);
	if (number || settles)
		settle(t);
	if (number == 0)
		return t->returned - t->to;
	errno = ERRNO_BEFORE;
	return is_within(fault_addr, t->to, t->len) ||
	       is_within(fault_addr, t->from, t->len) ? -2 : -3 - number;
}

static int64_t do_copy(const uint64_t *arg)
{
	bool local = arg[1] == NO_PLACE;
	struct transfer t = { .len = arg[2], .how = arg[3] % 6 };

	if (!local && t.len > MAPPED_COPY)
		t.len = MAPPED_COPY;
	t.to = at(arg[0], t.len);
	t.from = local ? buffer + arg[3] : at(arg[1], t.len);
	if (!t.to || !t.from || t.len > BUFFER - 1000)
		return SKIPPED;
	/* Overlapping is memmove's; wide characters are aligned. */
	if (!local && (t.how == 0 || t.how == 2 || t.how == 4))
		t.how = 1;
	if (t.how >= 4 && (((uintptr_t)t.to | (uintptr_t)t.from) & 3))
		t.how = 1;
	return transfer(call_copy, &t, !local && inspect_alias(&self, t.to,
							       t.from, t.len));
}

static int64_t do_set(const uint64_t *arg)
{
	struct transfer t = { .to = at(arg[0], arg[2]), .len = arg[2],
			      .value = (int)arg[1], .how = arg[3] % 4 };

	if (!t.to)
		return SKIPPED;
	if (t.how == 3 && ((uintptr_t)t.to & 3))
		t.how = 0;
	return transfer(call_set, &t, false);
}

static uint32_t run_steps(uint32_t first, uint32_t limit);

/* Thousands of children: their statistics would fill the memory. */
static void forget_statistics(pid_t child)
{
	const char *file = getenv("PMEMSHIM_STATS");
	char name[PATH_MAX];

	if (!file)
		return;
	snprintf(name, sizeof(name), "%s.%d", file, (int)child);
	unlink(name);
}

/* The child makes the next steps; the parent goes on behind them. */
static int64_t fork_at(uint32_t step, uint64_t how_many)
{
	uint64_t limit = step + 1 + how_many;
	pid_t child;
	int status;

	child = fork();
	if (child == 0) {
		armed = 0;
		inspect_start();
		self.world->resume = run_steps(step + 1, (uint32_t)limit);
		inspect_count(self.world);
		_exit(7);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	forget_statistics(child);
	return status;
}

static int64_t (*const calls[OP_KINDS])(const uint64_t *) = {
	[OP_mmap] = do_mmap,
	[OP_munmap] = do_munmap,
	[OP_mremap] = do_mremap,
	[OP_mprotect] = do_mprotect,
	[OP_madvise] = do_madvise,
	[OP_mlock] = do_mlock,
	[OP_msync] = do_msync,
	[OP_remap_file_pages] = do_remap_file_pages,
	[OP_ftruncate] = do_ftruncate,
	[OP_fallocate] = do_fallocate,
	[OP_write] = do_write,
	[OP_read] = do_read,
	[OP_fsync] = do_fsync,
	[OP_reopen] = do_reopen,
	[OP_store] = do_store,
	[OP_load] = do_load,
	[OP_copy] = do_copy,
	[OP_set] = do_set,
};

/*
 * The turns
 */

struct step {
	const struct op *op;
	struct result *result;
};

static void call(void *context)
{
	struct step *step = context;

	errno = ERRNO_BEFORE;
	step->result->value = calls[step->op->kind](step->op->arg);
	step->result->error = errno;
}

static void make(const struct op *op, struct result *result)
{
	struct step step = { op, result };

	fault_addr = NULL;
	armed = 1;
	result->signal = attempt(call, &step);
	armed = 0;
	if (result->signal && in_arena(fault_addr))
		result->fault = 1 + (uint64_t)(fault_addr -
					       self.slots[0].base) / PAGE;
}

static bool every(uint32_t step, uint32_t n)
{
	return n && step % n == 0;
}

static bool changes_mappings(const struct op *op)
{
	return op->kind <= OP_mprotect || op->kind == OP_fork ||
	       (op->kind == OP_madvise && op->arg[2] == MADV_DONTFORK);
}

static void inspect(const struct op *op, uint32_t step, struct result *result)
{
	const struct batch *batch = self.batch;

	/* Only what changes mappings can make the registry wrong, mostly. */
	if (batch->look_every == 1 || every(step, batch->look_every) ||
	    (changes_mappings(op) && batch->unit_pages == 1))
		result->maps = inspect_maps(&self, step);
	if (every(step, batch->read_every)) {
		result->memory = inspect_memory(&self);
		result->files = inspect_files(&self);
	}
}

/* The steps from first on that are this process's, at most up to limit. */
static uint32_t run_steps(uint32_t first, uint32_t limit)
{
	const struct batch *batch = self.batch;
	uint32_t i = first;

	while (i < limit && i < batch->nops &&
	       batch->ops[i].process == self.number) {
		const struct op *op = &batch->ops[i];
		struct result *result = &self.world->results[i];
		uint32_t step = i++;

		self.world->turn = step;
		if (op->kind == OP_fork) {
			self.world->resume = i;
			result->value = fork_at(step, op->arg[0]);
			i = self.world->resume;
		} else {
			make(op, result);
		}
		inspect(op, step, result);
	}
	return i;
}

static void futex(_Atomic uint32_t *word, int op, uint32_t value)
{
	syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static uint32_t wait_turn(void)
{
	const struct batch *batch = self.batch;

	for (;;) {
		uint32_t i = self.world->turn;

		if (i >= batch->nops || batch->ops[i].process == self.number)
			return i;
		futex(&self.world->turn, FUTEX_WAIT, i);
	}
}

/* Neither replaces a file before the other has opened it. */
static void wait_for_all(struct world *world)
{
	uint32_t n = ++world->ready;

	futex(&world->ready, FUTEX_WAKE, INT_MAX);
	for (; n < PROCESSES; n = world->ready)
		futex(&world->ready, FUTEX_WAIT, n);
}

static void end_turn(uint32_t next)
{
	self.world->turn = next;
	futex(&self.world->turn, FUTEX_WAKE, INT_MAX);
}

static void open_files(void)
{
	for (int file = 0; file < FILES; file++)
		for (int i = 0; i < 3; i++)
			self.fds[3 * file + i] = open_file(file, i);
	self.fds[HANDLE_DIRECTORY] = open(directory, O_RDONLY | O_CLOEXEC);
	self.fds[HANDLE_CLOSED] = -1;
}

static void process_main(const struct batch *batch, struct world *world,
			 int number)
{
	size_t unit = batch->unit_pages * PAGE;
	struct result *last = &world->results[OPS_MAX + number];
	uint32_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	self = (struct self){ .batch = batch, .world = world,
			      .number = number };
	self.slots[0].base = (char *)(BOUNDARY - ARENA_UNITS / 2 * unit);
	self.slots[0].len = SPAN_UNITS * unit;
	open_files();
	inspect_start();
	catch_faults();
	wait_for_all(world);
	while ((i = wait_turn()) < batch->nops)
		end_turn(run_steps(i, batch->nops));
	last->maps = inspect_maps(&self, batch->nops);
	last->memory = inspect_memory(&self);
	last->files = inspect_files(&self);
	inspect_count(world);
}

/*
 * The world
 */

static void make_files(const struct batch *batch)
{
	char path[PATH_MAX];

	for (int i = 0; i < FILES; i++) {
		size_t len = batch->file_size[i];
		int fd;

		snprintf(path, sizeof(path), "%s/%d",
			 i == FILES - 1 ? outside : directory, i);
		unlink(path);
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || ftruncate(fd, (off_t)len))
			abort();
		/* The second half is a hole. */
		len = len / 2 < BUFFER ? len / 2 : BUFFER;
		if (pwrite(fd, buffer, len, 0) != (ssize_t)len)
			abort();
		close(fd);
	}
}

static void serve(const struct batch *batch, struct world *world)
{
	pid_t children[PROCESSES], gone;
	int status, left = PROCESSES;

	make_files(batch);
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			process_main(batch, world, i);
			_exit(0);
		}
	}
	while (left > 0 && (gone = waitpid(-1, &status, 0)) > 0) {
		forget_statistics(gone);
		for (int i = 0; i < PROCESSES; i++) {
			if (children[i] == gone) {
				world->status[i] = status;
				children[i] = 0;
			} else if (status && children[i] > 0) {
				kill(children[i], SIGKILL);
			}
		}
		left--;
	}
}

int world_main(struct shared *shared, int which, const char *files,
	       const char *files_outside)
{
	uint64_t state = 88172645463325252u;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	directory = strdup(files);
	outside = strdup(files_outside);
	for (size_t i = 0; i < sizeof(buffer); i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		buffer[i] = (char)(state >> 56);
	}
	while (read(0, &byte, 1) == 1) {
		serve(&shared->batch, &shared->worlds[which]);
		if (write(1, &byte, 1) != 1)
			return 1;
	}
	return 0;
}
