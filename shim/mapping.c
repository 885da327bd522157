/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mapping.c: which mappings are tracked, and what becomes of them.
 *
 * Design: the registry is never more generous than the kernel. Pages leave it
 * before the call that takes them away and enter it after the call that made
 * them; when a call fails in between, they stay out, and the kernel serves
 * them. Every address range that the kernel hands out anew is cleared first,
 * whoever gets it, so that an unmapping that the shim did not see (by a raw
 * system call) leaves nothing behind.
 *
 * Concurrency: registry_lock is held over each call that changes tracked
 * pages, so that the kernel and the registry change in the same order. fork(2)
 * may come between any two instructions of another thread.
 */
#include "shim/mapping.h"

#include <errno.h>
#include <limits.h>
#include <linux/falloc.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "shim/compiler.h"
#include "shim/dax.h"
#include "shim/dirty.h"
#include "shim/file.h"
#include "shim/learn.h"
#include "shim/log.h"
#include "shim/own.h"
#include "shim/pages.h"
#include "shim/probes.h"
#include "shim/real.h"
#include "shim/region.h"
#include "shim/registry.h"
#include "shim/stats.h"
#include "shim/sys.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102	/* asm-generic/mman-common.h, 6.13 */
#endif
#ifndef MAP_32BIT
#define MAP_32BIT 0		/* x86 alone has it */
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4	/* include/uapi/linux/mman.h, 5.7 */
#endif

_Atomic size_t mapping_copy_min = SIZE_MAX;

static const struct config *config;
static bool look_at_every_file;	/* a rule concerns files that are not DAX */

static _Atomic bool was_locked;
static bool any_dontfork;	/* the lock's */

static unsigned char unusable;	/* stays 0 */
_Atomic(unsigned char *) mapping_flag = &unusable;
/* A child changed its mappings while they were not followed. */
static bool missed_changes;
static pid_t process;	/* 0 in forked children: it would be a system call */

/* Devices that refused MAP_SYNC for a DAX file: they are not synchronous. */
static struct {
	dev_t dev[16];
	size_t n;
} refusing;		/* the lock's */

static unsigned char *flag(void)
{
	return atomic_load_explicit(&mapping_flag, memory_order_relaxed);
}

static void set_flag(unsigned char *where)
{
	atomic_store_explicit(&mapping_flag, where, memory_order_relaxed);
}

/* The same for a call that changes mappings, and is missed when it is not. */
static bool follows(void)
{
	if (config && !*flag())
		missed_changes = true;
	return mapping_is_usable();
}

/*
 * Ranges
 */

bool mapping_range(const void *addr, size_t len, uintptr_t *end)
{
	uintptr_t start = (uintptr_t)addr;
	size_t rounded = (len + REGISTRY_PAGE - 1) & ~(REGISTRY_PAGE - 1);

	*end = start + rounded;
	return start % REGISTRY_PAGE == 0 && rounded >= len && *end >= start;
}

static bool touches(const void *addr, size_t len)
{
	uintptr_t end;

	return mapping_range(addr, len, &end) &&
	       (registry_touches((uintptr_t)addr, end) ||
		file_page_within((uintptr_t)addr, end) ||
		stats_lies_in((uintptr_t)addr, end));
}

static void set_copy_min(size_t len)
{
	atomic_store_explicit(&mapping_copy_min, len, memory_order_relaxed);
}

static uint64_t drop_pages(void *context, uint64_t value, size_t pages,
			   bool lost)
{
	(void)context, (void)lost;
	if (value) {
		region_set_end(value, 0);
		region_remove_pages(value, pages);
	}
	return 0;
}

static uintptr_t below_limit(uintptr_t addr)
{
	return addr < REGISTRY_LIMIT ? addr : REGISTRY_LIMIT;
}

/* Nobody flushes any more what has just left the registry. */
static void withdraw(void)
{
	registry_withdraw();
	persist_wait();
}

static void drop(uintptr_t addr, uintptr_t end)
{
	int saved = errno;

	dirty_drop(addr, end);
	file_forget_pages(addr, end);
	if (stats_lies_in(addr, end))
		stats_forget(addr, end);
	if (!registry_touches(addr, end))
		return;
	registry_update(below_limit(addr), below_limit(end), drop_pages,
			NULL);
	if (registry_pages() == 0)
		set_copy_min(SIZE_MAX);
	withdraw();
	errno = saved;
}

static void drop_range(const void *addr, size_t len)
{
	uintptr_t end;

	if (mapping_range(addr, len, &end))
		drop((uintptr_t)addr, end);
}

/* The kernel handed this range out: whatever was known of it is past. */
static void forget(const void *addr, size_t len)
{
	struct registry_guard guard;

	if (!touches(addr, len))
		return;
	registry_lock(&guard);
	drop_range(addr, len);
	registry_unlock(&guard);
}

static uint64_t place_pages(void *context, uint64_t value, size_t pages,
			    bool lost)
{
	const uint64_t *new = context;

	if (value)
		region_set_end(value, 0);
	if (lost) {
		region_remove_pages(value, pages);
		return 0;
	}
	region_add_pages(*new, pages);
	if (value)
		region_remove_pages(value, pages);
	return *new;
}

static bool place(uintptr_t addr, uintptr_t end, uint64_t value)
{
	size_t copy_min = persist_policy(region_policy(value))->copy_min;
	int saved = errno;
	int error;

	/* It must not end with the first page that is lost on the way. */
	region_add_pages(value, 1);
	error = registry_update(addr, end, place_pages, &value);
	if (error)
		drop(addr, end);
	else
		region_set_end(value, end);
	if (!error && copy_min < atomic_load_explicit(&mapping_copy_min,
						 memory_order_relaxed))
		set_copy_min(copy_min);
	region_remove_pages(value, 1);
	errno = saved;
	return error == 0;
}

/*
 * mmap
 */

struct plan {
	struct mapping_request want;	/* the program's own */
	const struct config_rule *rule;
	struct dax_info info;
	enum config_pages pages;	/* which the address has to be for */
};

static size_t rule_number(const struct config_rule *rule)
{
	return (size_t)(rule - config->rules);
}

static void refuse(const struct plan *plan, enum stats_counter why)
{
	stats_add(rule_number(plan->rule), why, 1);
	log_write(LOG_INFO, "rule %s: device %#llx, inode %llu: %s",
		  plan->rule->path, (unsigned long long)plan->info.dev,
		  (unsigned long long)plan->info.ino, stats_text(why));
}

/* Tries at a place; by then the range is crowded. */
enum { PLACES = 4 };

static void *call_mmap(const struct mapping_request *request)
{
	return real.mmap(request->addr, request->len, request->prot,
			 request->flags, request->fd, request->offset);
}

static void *map_untracked(const struct mapping_request *request)
{
	struct registry_guard guard;
	void *addr;

	if ((request->flags & MAP_FIXED) &&
	    touches(request->addr, request->len)) {
		registry_lock(&guard);
		drop_range(request->addr, request->len);
		addr = call_mmap(request);
		registry_unlock(&guard);
		return addr;
	}
	addr = call_mmap(request);
	if (addr != MAP_FAILED)
		forget(addr, request->len);
	return addr;
}

static bool is_shared_file(const struct mapping_request *request)
{
	int type = request->flags & MAP_TYPE;

	return (type == MAP_SHARED || type == MAP_SHARED_VALIDATE) &&
	       !(request->flags & MAP_ANONYMOUS);
}

/* What a mapping costs, MAP_SYNC's faults included, its syncs have to save. */
static bool is_worth_it(const struct plan *plan)
{
	const struct config_rule *rule = plan->rule;

	if (rule->mode != CONFIG_MODE_AUTO ||
	    rule->map_sync == CONFIG_MAP_SYNC_REQUIRE ||
	    plan->info.kind == DAX_DEVICE ||
	    learn_mapping_pays(rule_number(rule)))
		return true;
	refuse(plan, STATS_REFUSED_SHORT);
	return false;
}

/* Whether the request is under a rule and the kernel may grant MAP_SYNC. */
static bool make_plan(const struct mapping_request *request, struct plan *plan)
{
	char path[PATH_MAX];

	if (!is_shared_file(request) || dax_look(request->fd, &plan->info))
		return false;
	if (plan->info.kind == DAX_NONE &&
	    (!plan->info.regular || !look_at_every_file))
		return false;
	if (dax_path(request->fd, path, sizeof(path)))
		return false;
	plan->rule = config_match(config, path);
	if (!plan->rule || plan->rule->mode == CONFIG_MODE_OFF)
		return false;
	plan->want = *request;
	if (plan->info.kind == DAX_NONE && !plan->rule->assume_pmem &&
	    plan->rule->map_sync == CONFIG_MAP_SYNC_PREFER) {
		refuse(plan, STATS_REFUSED_NOT_DAX);
		return false;
	}
	return is_worth_it(plan);
}

/* The program left the address to the kernel, all of it. */
static bool is_placeable(const struct mapping_request *want)
{
	return !want->addr &&
	       !(want->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_32BIT));
}

static void choose_pages(struct plan *plan)
{
	const struct mapping_request *want = &plan->want;

	plan->pages = CONFIG_PAGES_AUTO;
	if (plan->info.regular && is_placeable(want))
		plan->pages = pages_wanted(plan->rule, want->fd, want->offset,
					   want->len,
					   want->prot & PROT_WRITE);
}

static bool is_refusing(dev_t dev)
{
	for (size_t i = 0; i < refusing.n; i++)
		if (refusing.dev[i] == dev)
			return true;
	return false;
}

/* MAP_SHARED ignores other flags, MAP_SHARED_VALIDATE refuses them. */
#define FLAGS_NOT_REFUSED						\
	(MAP_TYPE | MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_DENYWRITE |	\
	 MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE |	\
	 MAP_NONBLOCK | MAP_STACK | MAP_SYNC)

static void note_refusal(const struct plan *plan)
{
	if (plan->info.kind == DAX_FILE && !is_refusing(plan->info.dev) &&
	    !(plan->want.flags & ~FLAGS_NOT_REFUSED) &&
	    refusing.n < ARRAY_LEN(refusing.dev))
		refusing.dev[refusing.n++] = plan->info.dev;
}

/*
 * 0 when asking for MAP_SYNC at the place itself does no harm. ext4 refuses
 * it only after MAP_FIXED has unmapped what was there, so the question is put
 * elsewhere first.
 */
static int may_ask(const struct plan *plan)
{
	if (plan->rule->map_sync == CONFIG_MAP_SYNC_PREFER &&
	    (plan->info.kind == DAX_NONE || is_refusing(plan->info.dev)))
		return -EOPNOTSUPP;
	/* Which is refused as it stands, and asked without it is granted. */
	if ((plan->want.flags & MAP_TYPE) == MAP_SHARED_VALIDATE &&
	    (plan->want.flags & MAP_FIXED_NOREPLACE))
		return -EOPNOTSUPP;
	if (plan->want.flags & MAP_FIXED)
		return dax_probe(plan->want.fd, plan->want.offset);
	return 0;
}

/*
 * The mapping that the program asked for, with MAP_SYNC. MAP_SHARED_VALIDATE
 * does not know MAP_FIXED_NOREPLACE; a hint that the kernel follows is the
 * same, and one that it does not follow is given back.
 */
static void *ask(const struct mapping_request *want)
{
	struct mapping_request request = *want;
	void *addr;

	request.flags = (want->flags & ~MAP_TYPE) | MAP_SHARED_VALIDATE |
			MAP_SYNC;
	if (!(want->flags & MAP_FIXED_NOREPLACE))
		return call_mmap(&request);
	request.flags &= ~(MAP_FIXED_NOREPLACE | MAP_FIXED);
	addr = call_mmap(&request);
	if (addr != MAP_FAILED && addr != want->addr) {
		real.munmap(addr, want->len);
		errno = EEXIST;
		addr = MAP_FAILED;
	}
	return addr;
}

static bool has_pages(const void *addr, off_t offset, enum config_pages pages)
{
	const bool small = pages_are_small((uint64_t)offset - (uintptr_t)addr);

	return small == (pages == CONFIG_PAGES_SMALL);
}

/*
 * The same where the kernel uses the entries that the plan wants. What the
 * kernel put elsewhere is given back, but for the last: the program needs one.
 */
static void *ask_with_pages(const struct plan *plan)
{
	struct mapping_request request = plan->want;
	void *addr;

	if (plan->pages == CONFIG_PAGES_AUTO)
		return ask(&plan->want);
	for (int i = 0;; i++) {
		request.addr = pages_place(plan->pages, request.offset,
					   request.len);
		addr = ask(&request);
		if (addr == MAP_FAILED || i == PLACES ||
		    has_pages(addr, request.offset, plan->pages))
			return addr;
		real.munmap(addr, request.len);
	}
}

static unsigned int attributes_of(int prot)
{
	/* On x86 writable memory is readable; PROT_EXEC alone may not be. */
	return (prot & (PROT_READ | PROT_WRITE) ? REGION_READABLE : 0) |
	       (prot & PROT_WRITE ? REGION_WRITABLE : 0);
}

/* The file's record (NULL for a device) and policy, or why not. */
static int make_view(const struct plan *plan, struct region_view *view)
{
	struct persist_want want = {
		.rule = plan->rule,
		.number = rule_number(plan->rule),
	};
	enum dax_domain domain;

	if (plan->info.kind == DAX_DEVICE) {
		want.device = true;
		domain = dax_domain(plan->want.fd, &plan->info, "/sys");
	} else {
		view->file = file_get(plan->want.fd, &plan->info,
				      plan->want.prot & PROT_WRITE);
		if (!view->file)
			return -EMFILE;
		domain = file_domain(view->file);
	}
	want.cache_domain = domain == DAX_DOMAIN_CACHE;
	return persist_policy_for(&want, &view->policy);
}

static void track_pages(const struct plan *plan, uintptr_t addr, uintptr_t end)
{
	const struct dirty_mapping mapping = {
		.addr = addr, .end = end,
		.offset = (uint64_t)plan->want.offset,
		.dev = plan->info.dev, .ino = plan->info.ino,
		.rule = rule_number(plan->rule),
	};

	if (plan->rule->dirty == CONFIG_DIRTY_TRACK &&
	    (plan->want.prot & PROT_WRITE))
		dirty_map(&mapping);
}

/* Enter [addr, end) into the registry. *warn: a policy to warn of, or NULL. */
static enum stats_counter track(const struct plan *plan, uintptr_t addr,
				uintptr_t end,
				const struct persist_policy **warn)
{
	struct region_view view = {
		.delta = (uint64_t)plan->want.offset - addr,
		.attributes = attributes_of(plan->want.prot),
	};
	uint64_t value = 0;
	int made;

	if (end > REGISTRY_LIMIT)
		return STATS_REFUSED_ROOM;
	made = make_view(plan, &view);
	if (made == -EMFILE)
		return STATS_REFUSED_DESCRIPTOR;
	if (made >= 0)
		value = region_new(&view);
	if (!value) {
		if (view.file)
			file_put(view.file);
		return STATS_REFUSED_ROOM;
	}
	if (!place(addr, end, value))
		return STATS_REFUSED_ROOM;
	if (made > 0)
		*warn = persist_policy(view.policy);
	if (view.file)
		track_pages(plan, addr, end);
	return plan->info.kind == DAX_DEVICE ? STATS_GRANTED_DEVICE
					     : STATS_GRANTED;
}

/* As the program asked; under assume_pmem with the entries of the plan. */
static void *fall_back(const struct plan *plan)
{
	struct mapping_request request = plan->want;

	if (plan->rule->assume_pmem && plan->pages != CONFIG_PAGES_AUTO)
		request.addr = pages_place(plan->pages, request.offset,
					   request.len);
	return call_mmap(&request);
}

/* How a mapping under a rule ended. */
struct outcome {
	enum stats_counter counter;	/* STATS_COUNTERS: it failed */
	bool placed;			/* where plan->pages are to be had */
	const struct persist_policy *warn;	/* a new policy, or NULL */
};

/*
 * Ask for MAP_SYNC, or map as the program asked, and track what qualifies.
 * The lock is held.
 */
static void *map_locked(const struct plan *plan, struct outcome *outcome)
{
	const struct mapping_request *want = &plan->want;
	int refusal = may_ask(plan);
	void *addr = MAP_FAILED;
	bool granted;
	uintptr_t end;

	if (want->flags & MAP_FIXED)
		drop_range(want->addr, want->len);
	if (refusal == 0) {
		addr = ask_with_pages(plan);
		if (addr == MAP_FAILED && errno == EOPNOTSUPP) {
			refusal = -EOPNOTSUPP;
			note_refusal(plan);
		}
	}
	granted = addr != MAP_FAILED;
	if (refusal)
		outcome->counter = STATS_REFUSED_KERNEL;
	if (refusal && plan->rule->map_sync == CONFIG_MAP_SYNC_REQUIRE) {
		errno = -refusal;
		return MAP_FAILED;
	}
	if (!granted)
		addr = fall_back(plan);
	if (addr == MAP_FAILED || !mapping_range(addr, want->len, &end))
		return addr;
	drop((uintptr_t)addr, end);
	outcome->placed = plan->pages != CONFIG_PAGES_AUTO &&
			  has_pages(addr, want->offset, plan->pages);
	if (granted || plan->rule->assume_pmem) {
		outcome->counter = track(plan, (uintptr_t)addr, end,
					 &outcome->warn);
		if (outcome->counter == STATS_GRANTED && !granted)
			outcome->counter = STATS_ASSUMED;
	}
	return addr;
}

static void report(const struct plan *plan, const struct outcome *outcome)
{
	switch (outcome->counter) {
	case STATS_COUNTERS:
		return;
	case STATS_GRANTED:
	case STATS_GRANTED_DEVICE:
	case STATS_ASSUMED:
		stats_add(rule_number(plan->rule), outcome->counter, 1);
		learn_mapped(rule_number(plan->rule));
		if (outcome->placed)
			stats_add(rule_number(plan->rule),
				  plan->pages == CONFIG_PAGES_SMALL
				  ? STATS_PAGES_SMALL : STATS_PAGES_HUGE, 1);
		break;
	default:
		refuse(plan, outcome->counter);
	}
	if (outcome->warn)
		persist_policy_warn(outcome->warn);
}

static void *map_tracked(const struct plan *plan)
{
	struct outcome outcome = { .counter = STATS_COUNTERS };
	struct registry_guard guard;
	int saved = errno;
	void *addr;

	registry_lock(&guard);
	addr = map_locked(plan, &outcome);
	if (addr != MAP_FAILED)
		errno = saved;
	registry_unlock(&guard);
	saved = errno;
	PROBE4(map, addr, plan->want.len, outcome.counter, plan->rule->path);
	report(plan, &outcome);
	errno = saved;
	return addr;
}

void *mapping_map(const struct mapping_request *request)
{
	struct plan plan;
	int saved = errno;
	bool planned;
	void *addr;

	if (request->flags & MAP_LOCKED)
		mapping_note_lock();
	if (!follows())
		return call_mmap(request);
	planned = make_plan(request, &plan);
	if (planned)
		choose_pages(&plan);
	errno = saved;
	addr = planned ? map_tracked(&plan) : map_untracked(request);
	if (addr != MAP_FAILED && is_shared_file(request))
		dirty_mapped(request->fd, addr);
	return addr;
}

/*
 * What becomes of mappings
 */

int mapping_unmap(void *addr, size_t len)
{
	struct registry_guard guard;
	int result;

	if (!follows() || !touches(addr, len))
		return real.munmap(addr, len);
	registry_lock(&guard);
	drop_range(addr, len);
	result = real.munmap(addr, len);
	registry_unlock(&guard);
	return result;
}

/* The one value of all pages in the range, or 0. */
static uint64_t common_value(uintptr_t addr, uintptr_t end)
{
	uintptr_t stop;
	uint64_t value = registry_run(addr, end, &stop);

	return stop == end ? value : 0;
}

/* The same file seen from another address. 0 when memory cannot be had. */
static uint64_t moved_value(uint64_t value, uintptr_t from, uintptr_t to)
{
	struct region_view view;
	int saved = errno;
	uint64_t moved;

	if (from == to)
		return value;
	region_read(value, &view);
	view.delta += from - to;
	if (view.file)
		file_ref(view.file);
	moved = region_new(&view);
	if (!moved && view.file)
		file_put(view.file);
	errno = saved;
	return moved;
}

struct move {
	uintptr_t old, old_end;
	size_t new_len;
	bool keeps_old;		/* old_len 0 or MREMAP_DONTUNMAP */
	uint64_t value;		/* of all of the old range, or 0 */
};

static void follow_move(const struct move *move, uintptr_t new)
{
	uintptr_t end;
	uint64_t value;

	if (!mapping_range((void *)new, move->new_len, &end))
		return;
	drop(new, end);
	if (!move->value)
		return;
	if (move->keeps_old)
		place(move->old, move->old_end, move->value);
	value = moved_value(move->value, move->old, new);
	if (value && end <= REGISTRY_LIMIT)
		place(new, end, value);
}

/* Address space that is nobody else's, with such entries at delta. NULL: none. */
static void *reserve(const struct move *move, uint64_t delta)
{
	const off_t offset = (off_t)(move->old + delta);
	void *place = pages_place(CONFIG_PAGES_SMALL, offset, move->new_len);
	void *addr = sys_mmap(place, move->new_len, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			      MAP_FIXED_NOREPLACE, -1, 0);

	if (addr == MAP_FAILED)
		return NULL;
	if (addr == place)
		return addr;
	sys_munmap(addr, move->new_len);
	return NULL;
}

/* A mapping with entries of 4 KiB grows, and may be moved: to another such
 * place, if it does not fit where it is. MAP_FAILED: not done. */
static void *remap_small(const struct move *move, size_t old_len, uint64_t delta)
{
	void *addr = real.mremap((void *)move->old, old_len, move->new_len, 0);
	void *place;

	if (addr != MAP_FAILED)
		return addr;
	place = reserve(move, delta);
	if (!place)
		return MAP_FAILED;
	addr = real.mremap((void *)move->old, old_len, move->new_len,
			   MREMAP_MAYMOVE | MREMAP_FIXED, place);
	if (addr == MAP_FAILED)
		sys_munmap(place, move->new_len);
	return addr;
}

/* What has entries of 4 KiB by the rule, or by choice, keeps them. */
static bool keeps_small(const struct move *move, size_t old_len,
			struct region_view *view)
{
	enum config_pages pages;
	off_t offset;

	if (!move->value || old_len == 0 || !region_read(move->value, view) ||
	    !view->file || !pages_are_small(view->delta))
		return false;
	offset = (off_t)(move->old + view->delta);
	pages = persist_policy(view->policy)->rule->pages;
	return pages_differ(offset, move->new_len) &&
	       (pages == CONFIG_PAGES_SMALL ||
		(pages == CONFIG_PAGES_AUTO && pages_differ(offset, old_len)));
}

static void *call_mremap(const struct move *move, size_t old_len, int flags,
			 void *new)
{
	struct region_view view;
	int saved = errno;
	void *addr = MAP_FAILED;

	if (flags == MREMAP_MAYMOVE && keeps_small(move, old_len, &view))
		addr = remap_small(move, old_len, view.delta);
	errno = saved;
	if (addr != MAP_FAILED)
		return addr;
	return real.mremap((void *)move->old, old_len, move->new_len, flags,
			   new);
}

/* The lock is held. */
static void *remap_locked(const struct move *move, size_t old_len, int flags,
			  void *new)
{
	void *addr;

	/* Keeps the region while none of its pages is in the registry. */
	if (move->value)
		region_add_pages(move->value, 1);
	drop(move->old, move->old_end);
	if (flags & MREMAP_FIXED)
		drop_range(new, move->new_len);
	addr = call_mremap(move, old_len, flags, new);
	if (addr != MAP_FAILED)
		follow_move(move, (uintptr_t)addr);
	else if (move->value && !(flags & MREMAP_FIXED))
		place(move->old, move->old_end, move->value);
	if (move->value)
		region_remove_pages(move->value, 1);
	return addr;
}

void *mapping_remap(void *old, size_t old_len, size_t new_len, int flags,
		    void *new)
{
	struct move move = {
		.old = (uintptr_t)old,
		.new_len = new_len,
		.keeps_old = old_len == 0 || (flags & MREMAP_DONTUNMAP),
	};
	struct registry_guard guard;
	void *addr;

	/* With old_len 0 the page at old stands for its mapping. */
	if (!follows() ||
	    !mapping_range(old, old_len ? old_len : 1, &move.old_end))
		return real.mremap(old, old_len, new_len, flags, new);
	if (!touches(old, old_len ? old_len : 1) &&
	    !((flags & MREMAP_FIXED) && touches(new, new_len))) {
		addr = real.mremap(old, old_len, new_len, flags, new);
		if (addr != MAP_FAILED)
			forget(addr, new_len);
		return addr;
	}
	registry_lock(&guard);
	move.value = common_value(move.old, move.old_end);
	addr = remap_locked(&move, old_len, flags, new);
	registry_unlock(&guard);
	return addr;
}

struct attribute_change {
	unsigned int keep;	/* attributes to leave as they are */
	unsigned int add;
	bool hides;		/* some page stopped being readable */
};

static uint64_t change_attributes(void *context, uint64_t value, size_t pages,
				  bool lost)
{
	struct attribute_change *change = context;
	unsigned int old = region_attributes(value), new;

	if (value == 0)
		return 0;
	region_set_end(value, 0);
	if (lost) {
		region_remove_pages(value, pages);
		change->hides = true;
		return 0;
	}
	new = (old & change->keep) | change->add;
	if (old & ~new & REGION_READABLE)
		change->hides = true;
	return region_with_attributes(value, new);
}

/* The region is the same before and after, so its pages need no counting. */
static void set_attributes(uintptr_t addr, uintptr_t end, unsigned int keep,
			   unsigned int add)
{
	struct attribute_change change = { .keep = keep, .add = add };

	registry_update(below_limit(addr), below_limit(end),
			change_attributes, &change);
	if (change.hides)
		withdraw();
}

int mapping_protect(void *addr, size_t len, int prot)
{
	unsigned int access = attributes_of(prot);
	uintptr_t start = (uintptr_t)addr, end;
	struct registry_guard guard;
	int result;

	if (!follows() || !touches(addr, len) ||
	    !mapping_range(addr, len, &end))
		return real.mprotect(addr, len, prot);
	registry_lock(&guard);
	if (!(prot & PROT_WRITE))
		stats_forget(start, end);
	/* Access is lost before the call and won after it. */
	set_attributes(start, end, REGION_DONTFORK | access, 0);
	result = real.mprotect(addr, len, prot);
	if (result == 0)
		set_attributes(start, end, REGION_DONTFORK, access);
	registry_unlock(&guard);
	return result;
}

/*
 * A key's rights change by an instruction and stay with the pages over later
 * calls of mprotect, so such pages are the kernel's.
 */
int mapping_protect_key(void *addr, size_t len, int prot, int pkey)
{
	struct registry_guard guard;
	int result;

	if (!follows() || !touches(addr, len))
		return real.pkey_mprotect(addr, len, prot, pkey);
	registry_lock(&guard);
	drop_range(addr, len);
	result = real.pkey_mprotect(addr, len, prot, pkey);
	registry_unlock(&guard);
	return result;
}

int mapping_advise(void *addr, size_t len, int advice)
{
	uintptr_t start = (uintptr_t)addr, end;
	struct registry_guard guard;
	int result;

	if (mapping_is_usable() && mapping_range(addr, len, &end))
		dirty_advised(start, end, advice);
	if ((advice != MADV_DONTFORK && advice != MADV_DOFORK &&
	     advice != MADV_GUARD_INSTALL) ||
	    !follows() || !touches(addr, len) ||
	    !mapping_range(addr, len, &end))
		return real.madvise(addr, len, advice);
	registry_lock(&guard);
	if (advice == MADV_GUARD_INSTALL)
		drop(start, end);
	if (advice == MADV_DONTFORK) {
		stats_forget(start, end);
		any_dontfork = true;
		set_attributes(start, end, ~0u, REGION_DONTFORK);
	}
	result = real.madvise(addr, len, advice);
	if (advice == MADV_DOFORK && result == 0)
		set_attributes(start, end, ~REGION_DONTFORK, 0);
	registry_unlock(&guard);
	return result;
}

static size_t segment_size(int id)
{
	struct shmid_ds segment;
	int saved = errno;
	size_t size = shmctl(id, IPC_STAT, &segment) ? 0 : segment.shm_segsz;

	errno = saved;
	return size;
}

void *mapping_attach(int id, const void *addr, int flags)
{
	struct registry_guard guard;
	void *result;

	if (!follows() || (registry_pages() == 0 && !stats_file()))
		return real.shmat(id, addr, flags);
	registry_lock(&guard);
	if (flags & SHM_REMAP) {
		uintptr_t start = (uintptr_t)addr;

		if (flags & SHM_RND)
			start &= ~((uintptr_t)SHMLBA - 1);
		drop_range((void *)start, segment_size(id));
	}
	result = real.shmat(id, addr, flags);
	if (result != (void *)-1)
		drop_range(result, segment_size(id));
	registry_unlock(&guard);
	return result;
}

int mapping_remap_pages(void *addr, size_t len, int prot, size_t page,
			int flags)
{
	struct registry_guard guard;
	/* The kernel takes an address inside a page for the page's. */
	const void *start = (char *)addr - (uintptr_t)addr % REGISTRY_PAGE;
	int result;

	if (!follows() || !touches(start, len))
		return real.remap_file_pages(addr, len, prot, page, flags);
	registry_lock(&guard);
	drop_range(start, len);
	result = real.remap_file_pages(addr, len, prot, page, flags);
	registry_unlock(&guard);
	return result;
}

/*
 * Files that become shorter
 */

/*
 * Whoever looks at a file's size from here on is told that it changed; whoever
 * looked before starts again. No lock: the call may be a long one, and on a
 * network file system one that a signal has to end.
 */
static bool shorten_begin(void)
{
	if (!mapping_is_usable())
		return false;
	file_shorten_begin();
	if (registry_pages() > 0)
		withdraw();
	return true;
}

int mapping_truncate(int fd, off_t len)
{
	bool began = shorten_begin();
	int result;

	dirty_resized(fd, NULL);
	result = real.ftruncate(fd, len);
	if (began)
		file_shorten_end();
	return result;
}

int mapping_truncate_path(const char *path, off_t len)
{
	bool began = shorten_begin();
	int result;

	dirty_resized(-1, path);
	result = real.truncate(path, len);
	if (began)
		file_shorten_end();
	return result;
}

/* A punched hole is zeroes to a load; only a collapse moves the end. */
int mapping_allocate(int fd, int mode, off_t offset, off_t len)
{
	bool began = (mode & FALLOC_FL_COLLAPSE_RANGE) && shorten_begin();
	int result;

	dirty_resized(fd, NULL);
	result = real.fallocate(fd, mode, offset, len);
	if (began)
		file_shorten_end();
	return result;
}

int mapping_allocate_posix(int fd, off_t offset, off_t len)
{
	dirty_resized(fd, NULL);
	return real.posix_fallocate(fd, offset, len);
}

void mapping_note_lock(void)
{
	atomic_store_explicit(&was_locked, true, memory_order_relaxed);
}

bool mapping_was_locked(void)
{
	return atomic_load_explicit(&was_locked, memory_order_relaxed);
}

/*
 * Copies
 */

const struct persist_policy *mapping_copy_policy(const void *dst, size_t len)
{
	uintptr_t addr = (uintptr_t)dst, last = addr + len - 1;
	const struct persist_policy *policy;
	uint64_t value = registry_find(addr);

	if (value == 0 || len == 0 || last < addr ||
	    ((addr ^ last) >= REGISTRY_PAGE && registry_find(last) != value))
		return NULL;
	policy = persist_policy(region_policy(value));
	if (len < policy->copy_min || !policy->copy)
		return NULL;
	stats_add(policy->number, STATS_COPIES, 1);
	stats_add(policy->number, STATS_COPIED, len);
	return policy;
}

/*
 * Start and fork
 */

void mapping_retire(void)
{
	/* A child that shares this memory (vfork) speaks for itself. */
	if (!mapping_is_usable() || (process && getpid() != process))
		return;
	log_write(LOG_INFO, "the program gives up rights: from here on everything goes to the kernel");
	dirty_stop();
	set_flag(&unusable);
	set_copy_min(SIZE_MAX);
	stats_retire();
}

/* Without it (Linux 4.14, before MAP_SYNC) a child past the handlers could not
 * be told from its parent. */
static unsigned char *not_inherited(void)
{
	unsigned char *page = own_pages(REGISTRY_PAGE);

	if (page == MAP_FAILED)
		return NULL;
	if (sys_madvise(page, REGISTRY_PAGE, MADV_WIPEONFORK)) {
		sys_munmap(page, REGISTRY_PAGE);
		return NULL;
	}
	return page;
}

void mapping_init(const struct config *the_config)
{
	unsigned char *page;

	if (the_config->nrules == 0 || !persist_is_possible() ||
	    sysconf(_SC_PAGESIZE) != (long)REGISTRY_PAGE)
		return;
	for (size_t i = 0; i < the_config->nrules; i++)
		if (the_config->rules[i].assume_pmem ||
		    the_config->rules[i].map_sync == CONFIG_MAP_SYNC_REQUIRE)
			look_at_every_file = true;
	if (the_config->stats || log_level() >= LOG_INFO)
		look_at_every_file = true;
	page = not_inherited();
	if (!page)
		return;
	registry_init();
	process = getpid();
	config = the_config;
	*page = 1;
	set_flag(page);
}

static uint64_t drop_dontfork(void *context, uint64_t value, size_t pages,
			      bool lost)
{
	if (value && !lost && !(region_attributes(value) & REGION_DONTFORK))
		return value;
	return drop_pages(context, value, pages, lost);
}

/*
 * There is no handler before the fork: one that took the lock would keep it
 * while the host's own handlers run, which may map memory, or wait for a thread
 * that does. A thread that was between its change of the registry and the
 * kernel's left the registry with less than is true, which is no harm; what it
 * had in hand (a region, a record) is lost to the child.
 */
void mapping_after_fork(void)
{
	struct registry_guard guard;

	if (missed_changes || flag() == &unusable || !registry_after_fork())
		return;
	process = 0;
	dirty_after_fork_in_child();
	file_after_fork();
	persist_after_fork();
	if (any_dontfork) {
		registry_lock(&guard);
		registry_update(0, REGISTRY_LIMIT, drop_dontfork, NULL);
		registry_unlock(&guard);
	}
	*flag() = 1;
}
