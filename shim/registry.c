/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * registry.c: a radix over the user address space.
 *
 * Design: three levels, of 1 GiB, 2 MiB and 4 KiB granules. A slot holds a
 * value that stands for its whole granule, or a node of 512 finer slots:
 *
 *	top[2^17] --node--> [512 x 2 MiB] --node--> [512 x 4 KiB]
 *	    `--value for 1 GiB  `--value for 2 MiB      `--value
 *
 * so a large mapping costs a few slots, and a reader at most three loads.
 *
 * Concurrency: a slot changes by one store. Nodes are never freed and a slot
 * that has become a node stays one, so a reader holds no reference and needs
 * no retry; what it costs is 4 KiB for each 2 MiB of address space that ever
 * held the edge of a mapping. The writers hold the mutex.
 */
#include "shim/registry.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>

#include "shim/compiler.h"
#include "shim/own.h"
#include "shim/sys.h"

enum { LEVEL_TOP, LEVEL_MIDDLE, LEVEL_LEAF };

#define NODE_SLOTS	512
#define TOP_SLOTS	(REGISTRY_LIMIT >> 30)
/* A power of two of nodes: small for one mapping, few calls for many. */
#define CHUNK_BYTES	((size_t)16 * NODE_SLOTS * sizeof(uint64_t))

struct node {
	_Atomic uint64_t slots[NODE_SLOTS];
};

static const unsigned int granule_shift[] = { 30, 21, 12 };

/* 0: untracked; odd: a node's address + 1; else a value times 2. */
static _Atomic uint64_t top[TOP_SLOTS];

/* Everything ever tracked lies in [lowest, highest). */
static _Atomic uintptr_t lowest = UINTPTR_MAX;
static _Atomic uintptr_t highest;
static _Atomic size_t tracked;

_Atomic uint64_t registry_epoch;

/* Protects all of the above against other writers, and spare_*. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool changing;	/* as a forked child finds it */
static struct node *spare;
static size_t spare_count;

static bool is_node(uint64_t slot)
{
	return slot & 1;
}

static struct node *node_of(uint64_t slot)
{
	return (struct node *)(slot - 1);
}

/* Pairs with the release store in slot_store. */
static uint64_t slot_load(const _Atomic uint64_t *slot)
{
	return atomic_load_explicit(slot, memory_order_acquire);
}

/* Pairs with the acquire load in slot_load. */
static void slot_store(_Atomic uint64_t *slot, uint64_t content)
{
	atomic_store_explicit(slot, content, memory_order_release);
}

static _Atomic uint64_t *slot_in(struct node *node, unsigned int level,
				 uintptr_t addr)
{
	return &node->slots[(addr >> granule_shift[level]) % NODE_SLOTS];
}

/* Where the answer for an address was found. */
struct place {
	const _Atomic uint64_t *slot;
	uint64_t content;
	unsigned int level;
};

static inline struct place find_place(uintptr_t addr)
{
	struct place at = { .slot = &top[addr >> granule_shift[LEVEL_TOP]],
			    .level = LEVEL_TOP };

	at.content = slot_load(at.slot);
	if (likely(is_node(at.content))) {
		at.level = LEVEL_MIDDLE;
		at.slot = slot_in(node_of(at.content), LEVEL_MIDDLE, addr);
		at.content = slot_load(at.slot);
	}
	if (likely(is_node(at.content))) {
		at.level = LEVEL_LEAF;
		at.slot = slot_in(node_of(at.content), LEVEL_LEAF, addr);
		at.content = slot_load(at.slot);
	}
	return at;
}

static bool out_of_bounds(uintptr_t addr)
{
	return addr < atomic_load_explicit(&lowest, memory_order_relaxed) ||
	       addr >= atomic_load_explicit(&highest, memory_order_relaxed);
}

uint64_t registry_find(uintptr_t addr)
{
	return out_of_bounds(addr) ? 0 : find_place(addr).content >> 1;
}

static uintptr_t granule_end(uintptr_t addr, unsigned int level)
{
	uintptr_t size = (uintptr_t)1 << granule_shift[level];

	return (addr & ~(size - 1)) + size;
}

static uintptr_t min_addr(uintptr_t a, uintptr_t b)
{
	return a < b ? a : b;
}

static uintptr_t max_addr(uintptr_t a, uintptr_t b)
{
	return a > b ? a : b;
}

/* From addr on, how far the slots beside its own hold the same. */
static uintptr_t run_of_slots(uintptr_t addr, uintptr_t limit, struct place at)
{
	uintptr_t size = (uintptr_t)1 << granule_shift[at.level];
	uintptr_t node_end = at.level == LEVEL_TOP
			   ? REGISTRY_LIMIT : granule_end(addr, at.level - 1);
	uintptr_t end = granule_end(addr, at.level);

	limit = min_addr(limit, node_end);
	while (end < limit && slot_load(++at.slot) == at.content)
		end += size;
	return min_addr(end, limit);
}

uint64_t registry_run(uintptr_t addr, uintptr_t limit, uintptr_t *end)
{
	uint64_t value = 0;

	*end = addr;
	while (*end < limit) {
		uint64_t here = 0;
		uintptr_t next = limit;

		if (*end < REGISTRY_LIMIT) {
			struct place at = find_place(*end);

			here = at.content >> 1;
			next = run_of_slots(*end, limit, at);
		}
		if (*end == addr)
			value = here;
		else if (here != value)
			break;
		*end = next;
	}
	return value;
}

bool registry_touches(uintptr_t addr, uintptr_t end)
{
	uintptr_t stop;

	addr = max_addr(addr,
			atomic_load_explicit(&lowest, memory_order_relaxed));
	end = min_addr(end,
		       atomic_load_explicit(&highest, memory_order_relaxed));
	if (addr >= end || registry_pages() == 0)
		return false;
	return registry_run(addr, end, &stop) != 0 || stop < end;
}

size_t registry_pages(void)
{
	return atomic_load_explicit(&tracked, memory_order_relaxed);
}

/* include/uapi/linux/membarrier.h, 5.10; Debian 12 has it, older ones not. */
#define BARRIER_RSEQ		(1 << 7)
#define BARRIER_RSEQ_REGISTER	(1 << 8)

void registry_init(void)
{
	int saved = errno;

	sys_membarrier(BARRIER_RSEQ_REGISTER);
	errno = saved;
}

void registry_withdraw(void)
{
	int saved = errno;

	atomic_fetch_add_explicit(&registry_epoch, 1, memory_order_seq_cst);
	/* A signal handler alone restarts what it interrupted. */
	if (__libc_single_threaded)
		return;
	/* A child has to register for itself. */
	if (sys_membarrier(BARRIER_RSEQ) && errno == EPERM) {
		registry_init();
		sys_membarrier(BARRIER_RSEQ);
	}
	errno = saved;
}

/* Not pthread_sigmask: it leaves libc's own signals, and so an asynchronous
 * pthread_cancel, unblocked. */
static bool set_signals(const uint64_t *new, uint64_t *old)
{
	int saved = errno;
	bool done = syscall(SYS_rt_sigprocmask, SIG_SETMASK, new, old,
			    sizeof(*new)) == 0;

	errno = saved;
	return done;
}

void registry_lock(struct registry_guard *guard)
{
	const uint64_t every = UINT64_MAX;

	guard->blocked = set_signals(&every, &guard->signals);
	pthread_mutex_lock(&mutex);
}

void registry_unlock(const struct registry_guard *guard)
{
	const struct registry_guard held = *guard;

	pthread_mutex_unlock(&mutex);
	if (held.blocked)
		set_signals(&held.signals, NULL);
}

bool registry_after_fork(void)
{
	if (atomic_load_explicit(&changing, memory_order_relaxed))
		return false;
	mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	return true;
}

static struct node *node_new(uint64_t content)
{
	struct node *node;

	if (spare_count == 0) {
		void *chunk = own_pages(CHUNK_BYTES);

		if (chunk == MAP_FAILED)
			return NULL;
		spare = chunk;
		spare_count = CHUNK_BYTES / sizeof(*node);
	}
	node = &spare[--spare_count];
	for (size_t i = 0; i < NODE_SLOTS; i++)
		atomic_store_explicit(&node->slots[i], content,
				      memory_order_relaxed);
	return node;
}

struct update {
	registry_change_fn change;
	void *context;
	int error;
};

static size_t pages_in(uintptr_t addr, uintptr_t end)
{
	return (end - addr) / REGISTRY_PAGE;
}

static uint64_t ask(const struct update *update, uint64_t value, size_t pages)
{
	uint64_t new = update->change(update->context, value, pages, false);

	if (value)
		atomic_fetch_sub_explicit(&tracked, pages,
					  memory_order_relaxed);
	if (new)
		atomic_fetch_add_explicit(&tracked, pages,
					  memory_order_relaxed);
	return new;
}

static void lose(struct update *update, uint64_t value, size_t pages)
{
	if (value == 0 || pages == 0)
		return;
	update->change(update->context, value, pages, true);
	atomic_fetch_sub_explicit(&tracked, pages, memory_order_relaxed);
}

static void fill_leaves(struct node *node, uintptr_t addr, uintptr_t end,
			uint64_t value)
{
	_Atomic uint64_t *slot = slot_in(node, LEVEL_LEAF, addr);

	for (size_t i = 0; i < pages_in(addr, end); i++)
		slot_store(&slot[i], value << 1);
}

/*
 * Store value for [addr, end) into the slot of one granule, which holds a
 * value now. What is finer than the granule needs nodes.
 */
static void assign(struct update *update, _Atomic uint64_t *slot,
		   unsigned int level, uintptr_t addr, uintptr_t end,
		   uint64_t value)
{
	size_t granule = (size_t)1 << granule_shift[level];
	uint64_t old = slot_load(slot);
	struct node *node;

	if (end - addr == granule) {
		slot_store(slot, value << 1);
		return;
	}
	node = node_new(old);
	if (!node) {
		slot_store(slot, 0);
		lose(update, value, pages_in(addr, end));
		lose(update, old >> 1,
		     (granule - (end - addr)) / REGISTRY_PAGE);
		update->error = -ENOMEM;
		return;
	}
	level++;
	if (level == LEVEL_LEAF)
		fill_leaves(node, addr, end, value);
	for (uintptr_t next; level < LEVEL_LEAF && addr < end; addr = next) {
		next = min_addr(end, granule_end(addr, level));
		assign(update,
		       &node->slots[(addr >> granule_shift[level]) % NODE_SLOTS],
		       level, addr, next, value);
	}
	slot_store(slot, (uint64_t)node | 1);
}

/* From the slot of addr on, up to end, those that hold the same, at once. */
static uintptr_t update_leaves(struct update *update, _Atomic uint64_t *slot,
			       uintptr_t addr, uintptr_t end)
{
	const uint64_t old = slot_load(slot);
	size_t n = 1, pages = pages_in(addr, end);
	uint64_t value;

	while (n < pages && slot_load(&slot[n]) == old)
		n++;
	value = ask(update, old >> 1, n);
	for (size_t i = 0; value != old >> 1 && i < n; i++)
		slot_store(&slot[i], value << 1);
	return addr + n * REGISTRY_PAGE;
}

static void update_range(struct update *update, _Atomic uint64_t *slots,
			 size_t nslots, unsigned int level, uintptr_t addr,
			 uintptr_t end)
{
	for (uintptr_t next; addr < end; addr = next) {
		_Atomic uint64_t *slot =
			&slots[(addr >> granule_shift[level]) % nslots];
		uint64_t old = slot_load(slot);
		uint64_t value;

		if (level == LEVEL_LEAF) {
			next = update_leaves(update, slot, addr, end);
			continue;
		}
		next = min_addr(end, granule_end(addr, level));
		if (is_node(old)) {
			update_range(update, node_of(old)->slots, NODE_SLOTS,
				     level + 1, addr, next);
			continue;
		}
		value = ask(update, old >> 1, pages_in(addr, next));
		if (value != old >> 1)
			assign(update, slot, level, addr, next, value);
	}
}

static void widen_bounds(uintptr_t addr, uintptr_t end)
{
	if (addr < atomic_load_explicit(&lowest, memory_order_relaxed))
		atomic_store_explicit(&lowest, addr, memory_order_relaxed);
	if (end > atomic_load_explicit(&highest, memory_order_relaxed))
		atomic_store_explicit(&highest, end, memory_order_relaxed);
}

int registry_update(uintptr_t addr, uintptr_t end, registry_change_fn change,
		    void *context)
{
	struct update update = { .change = change, .context = context };

	/* For a fork by another thread: nothing moves out of the two. */
	atomic_store_explicit(&changing, true, memory_order_seq_cst);
	widen_bounds(addr, end);
	update_range(&update, top, TOP_SLOTS, LEVEL_TOP, addr, end);
	atomic_store_explicit(&changing, false, memory_order_release);
	return update.error;
}
