/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sync.c: the msync contract.
 *
 * Design: the range is taken apart into pieces of one region each; each piece
 * is judged by the contract's rows; if all may be persisted from user space
 * they are, else the kernel serves the whole call, and what the files looked
 * like *before* that is remembered as synced. Nearly every call is a case in
 * which all of that has one answer: the short way knows it, and leaves
 * everything else to the long one.
 *
 * Concurrency: no lock. A piece holds copies. The epoch is read before the
 * pages are looked up, and they are flushed only while it is the same, so what
 * another thread, or a signal handler of this one, takes away is not touched.
 */
#include "shim/sync.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

#include "shim/compiler.h"
#include "shim/dirty.h"
#include "shim/file.h"
#include "shim/learn.h"
#include "shim/mapping.h"
#include "shim/pages.h"
#include "shim/persist.h"
#include "shim/probes.h"
#include "shim/real.h"
#include "shim/region.h"
#include "shim/registry.h"
#include "shim/stats.h"

/* Calls that span more mappings than this are the kernel's. */
enum { PIECES_MAX = 8 };

struct piece {
	uintptr_t addr, end;
	uint64_t value;
	struct region_view view;
	const struct persist_policy *policy;
	struct file_look look;
	bool looked;
	bool commit;		/* metadata to commit before the persist */
	enum stats_counter pages;	/* see dirty_judge; STATS_COUNTERS:
					   dirty=off */
	struct dirty_sync dirty;
};

/* What the program asked for; its first page is tracked. */
struct request {
	uintptr_t addr, end;
	int flags;
	uint64_t epoch;		/* before the pages were looked up */
	uint64_t start;		/* ticks; 0: statistics are off */
	struct stats_call call;	/* start 0: not begun */
};

struct job {
	uintptr_t addr, end;
	int flags;
	enum stats_arm arm;	/* of MS_SYNC */
	struct learn_call learn;
	bool learns;
	uint64_t now;		/* ns, never 0 */
	uint64_t epoch;		/* of the request */
	struct piece pieces[PIECES_MAX];
	size_t npieces;
};

static uint64_t coarse_now(void)
{
	int saved = errno;
	uint64_t now = real_ns(CLOCK_MONOTONIC_COARSE) | 1;

	errno = saved;
	return now;
}

/* In the order of mm/msync.c. 0, or the errno; 0 with *end == addr: nothing. */
static int check_arguments(uintptr_t addr, size_t len, int flags,
			   uintptr_t *end)
{
	const int known = MS_ASYNC | MS_INVALIDATE | MS_SYNC;

	if (flags & ~known)
		return EINVAL;
	if (addr % REGISTRY_PAGE)
		return EINVAL;
	if ((flags & MS_ASYNC) && (flags & MS_SYNC))
		return EINVAL;
	len = (len + REGISTRY_PAGE - 1) & ~(REGISTRY_PAGE - 1);
	*end = addr + len;
	return *end < addr ? ENOMEM : 0;
}

/*
 * The pages from addr on that are of one region. Of one that is whole the
 * registry is asked once, whatever its length.
 */
static bool find_run(struct piece *piece, uintptr_t addr, uintptr_t limit)
{
	uintptr_t end;

	piece->addr = addr;
	piece->value = registry_find(addr);
	if (piece->value == 0 || !region_read(piece->value, &piece->view))
		return false;
	end = piece->view.end;
	if (end > addr) {
		piece->end = end < limit ? end : limit;
		return true;
	}
	piece->value = registry_run(addr, limit, &piece->end);
	return piece->value && region_read(piece->value, &piece->view);
}

/*
 * Take [addr, end) apart. false when some of it is not tracked, when it has
 * too many pieces, or when a mapping is just going away.
 */
static bool take_apart(struct job *job)
{
	/* sync_thoroughly sets what is read here, and not the pieces. */
	/* cppcheck-suppress ctuuninitvar */
	uintptr_t addr = job->addr;

	do {
		struct piece *piece = &job->pieces[job->npieces];

		if (job->npieces == PIECES_MAX)
			return false;
		if (!find_run(piece, addr, job->end))
			return false;
		piece->policy = persist_policy(piece->view.policy);
		piece->looked = false;
		piece->commit = false;
		piece->pages = STATS_COUNTERS;
		piece->dirty.track = NULL;
		addr = piece->end;
		job->npieces++;
	} while (addr < job->end);
	return true;
}

static void look_at(const struct file *file, struct file_look *look)
{
	int saved = errno;

	file_look(file, look);
	errno = saved;
}

static void look(struct piece *piece)
{
	if (piece->looked || !piece->view.file)
		return;
	look_at(piece->view.file, &piece->look);
	piece->looked = true;
}

/* Behind the page that holds a file's last byte a flush is a SIGBUS. */
static bool lies_within(const struct region_view *view, uintptr_t end,
			uint64_t size)
{
	return end + view->delta <=
	       ((size + REGISTRY_PAGE - 1) & ~(uint64_t)(REGISTRY_PAGE - 1));
}

/* verify=no is taken at its word only inside what the file was last seen to
 * hold. */
static bool needs_look(const struct persist_policy *policy,
		       const struct region_view *view, uintptr_t end)
{
	return policy->verify ||
	       !lies_within(view, end, file_synced_size(view->file));
}

static enum stats_counter judge_file(struct piece *piece)
{
	if (!needs_look(piece->policy, &piece->view, piece->end))
		return STATS_PERSISTED;
	look(piece);
	switch (piece->look.verdict) {
	case FILE_LOST:
		return STATS_KERNEL_LOST;
	case FILE_CHANGED:
		return STATS_KERNEL_CHANGED;
	case FILE_TOUCHED:
		piece->commit = true;
		break;
	case FILE_SAME:
		break;
	}
	return STATS_PERSISTED;
}

static bool has_access(const struct region_view *view)
{
	const unsigned int access = REGION_READABLE | REGION_WRITABLE;

	return (view->attributes & access) == access;
}

static bool is_due(const struct persist_policy *policy, uint64_t synced_at,
		   uint64_t now)
{
	return policy->refresh != CONFIG_NEVER &&
	       now - synced_at >= policy->refresh;
}

/* STATS_PERSISTED, or why the kernel must serve the call. */
static enum stats_counter judge(const struct job *job, struct piece *piece)
{
	const struct persist_policy *policy = piece->policy;

	if (!policy->user)
		return STATS_KERNEL_MODE;
	if (policy->alternates && job->arm == STATS_ARM_KERNEL)
		return STATS_KERNEL_ARM;
	if (job->learns && job->arm == STATS_ARM_KERNEL)
		return STATS_KERNEL_CHEAPER;
	if (!has_access(&piece->view))
		return STATS_KERNEL_ACCESS;
	if (policy->device)
		return STATS_PERSISTED;
	if (piece->view.synced_at == 0)
		return STATS_KERNEL_FIRST;
	if (policy->rule->dirty == CONFIG_DIRTY_TRACK)
		piece->pages = dirty_judge(piece->addr, piece->end);
	if (job->end - job->addr > policy->kernel_above &&
	    piece->pages != STATS_TRACKED)
		return STATS_KERNEL_LARGE;
	if (is_due(policy, piece->view.synced_at, job->now))
		return STATS_KERNEL_REFRESH;
	return judge_file(piece);
}

static enum stats_counter judge_all(struct job *job)
{
	if ((job->flags & MS_INVALIDATE) && mapping_was_locked())
		return STATS_KERNEL_LOCKED;
	if (!(job->flags & MS_SYNC))
		return STATS_NOTHING;
	for (size_t i = 0; i < job->npieces; i++) {
		enum stats_counter answer = judge(job, &job->pieces[i]);

		if (answer != STATS_PERSISTED)
			return answer;
	}
	return STATS_PERSISTED;
}

static void count(const struct job *job, enum stats_counter counter,
		  uint64_t n)
{
	stats_add(job->pieces[0].policy->number, counter, n);
}

static bool is_timed(const struct job *job)
{
	return job->learns && job->learn.start;
}

/* The kernel commits what it changed; false when it could not be asked. */
static bool commit(struct job *job, struct piece *piece)
{
	uint64_t start = is_timed(job) ? learn_now() : 0;

	if (!file_commit(piece->view.file))
		return false;
	file_synced(piece->view.file, &piece->look);
	count(job, STATS_KERNEL_COMMIT, 1);
	if (start)
		job->learn.commit += learn_now() - start;
	return true;
}

/* How much of the piece the file covers; behind its last page is nothing. */
static size_t covered(const struct piece *piece)
{
	uint64_t offset = piece->addr + piece->view.delta;
	size_t len = piece->end - piece->addr;
	uint64_t size;

	if (!piece->view.file)
		return len;
	size = piece->looked ? piece->look.size
			     : file_synced_size(piece->view.file);
	size = (size + REGISTRY_PAGE - 1) & ~(uint64_t)(REGISTRY_PAGE - 1);
	if (offset >= size)
		return 0;
	return size - offset < len ? (size_t)(size - offset) : len;
}

struct flush {
	const struct job *job;
	const struct piece *piece;
	uint64_t bytes;
};

static bool flush(void *context, uintptr_t addr, uintptr_t end)
{
	struct flush *done = context;

	done->bytes += end - addr;
	return persist_flush(done->piece->policy, (void *)addr, end - addr,
			     &registry_epoch, done->job->epoch);
}

/* What dirty_flush did not flush was there throughout, or it does not count. */
static bool flush_piece(struct piece *piece, struct flush *done)
{
	uintptr_t end = piece->addr + covered(piece);

	done->piece = piece;
	if (piece->pages != STATS_TRACKED)
		return flush(done, piece->addr, end);
	piece->pages = dirty_flush(&piece->dirty, piece->addr, end, flush,
				   done);
	return piece->pages != STATS_KERNEL_OVERTAKEN &&
	       atomic_load_explicit(&registry_epoch, memory_order_acquire) ==
		       done->job->epoch;
}

/* Everything in the job's range is durable. */
static void finish(struct job *job)
{
	for (size_t i = 0; i < job->npieces; i++)
		dirty_done(&job->pieces[i].dirty);
}

static enum stats_counter persist(struct job *job)
{
	struct flush done = { .job = job };

	for (size_t i = 0; i < job->npieces; i++)
		if (job->pieces[i].commit && !commit(job, &job->pieces[i]))
			return STATS_KERNEL_CHANGED;
	for (size_t i = 0; i < job->npieces; i++)
		if (!flush_piece(&job->pieces[i], &done))
			return STATS_KERNEL_OVERTAKEN;
	persist_drain();
	finish(job);
	count(job, STATS_FLUSHED, done.bytes);
	if (job->pieces[0].pages != STATS_COUNTERS)
		count(job, job->pieces[0].pages, 1);
	return STATS_PERSISTED;
}

/*
 * What the files look like is for the persists to come. Where the kernel is
 * the cheaper one there are none until it is timed again.
 */
static bool is_worth_a_look(const struct job *job)
{
	if (job->learns)
		return job->learn.arm == STATS_ARM_USER || is_timed(job);
	return job->pieces[0].policy->user;
}

/* msync(2) by the kernel for a range that is tracked throughout. */
static int sync_by_kernel(struct job *job)
{
	int result;

	for (size_t i = 0; is_worth_a_look(job) && i < job->npieces; i++)
		look(&job->pieces[i]);
	result = real.msync((void *)job->addr, job->end - job->addr,
			    job->flags);
	if (result || !(job->flags & MS_SYNC))
		return result;
	finish(job);
	for (size_t i = 0; i < job->npieces; i++) {
		struct piece *piece = &job->pieces[i];

		/* By a descriptor for reading the kernel syncs nothing. */
		if (!(piece->view.attributes & REGION_WRITABLE))
			continue;
		if (piece->looked && piece->look.verdict != FILE_LOST)
			file_synced(piece->view.file, &piece->look);
		region_synced(piece->value, job->now);
	}
	return result;
}

/* Whether it did what was asked for; if not, the kernel must. */
static bool sync_by_us(struct job *job)
{
	enum stats_counter answer;
	int saved = errno;

	job->now = coarse_now();
	answer = judge_all(job);
	if (answer == STATS_PERSISTED)
		answer = persist(job);
	errno = saved;
	count(job, answer, 1);
	PROBE4(sync, job->addr, job->end - job->addr, job->arm, answer);
	return answer == STATS_PERSISTED || answer == STATS_NOTHING;
}

static struct learn_range learned_range(const struct persist_policy *policy,
					const struct region_view *view,
					size_t len)
{
	return (struct learn_range){
		.rule = policy->number,
		.len = len,
		.small = pages_are_small(view->delta),
		.walk = policy->walk,
	};
}

static void begin_learning(struct job *job)
{
	const struct piece *first = &job->pieces[0];
	const struct learn_range range =
		learned_range(first->policy, &first->view,
			      job->end - job->addr);

	learn_begin(&job->learn, &range);
}

/*
 * Whether it was better than without the shim: served from user space, or on
 * small entries where there would have been large ones. The first msync on a
 * mapping is the kernel's, tracked or not.
 */
static bool has_paid(const struct job *job, bool done)
{
	const struct piece *first = &job->pieces[0];
	const uint64_t offset = first->addr + first->view.delta;

	if (first->view.synced_at == 0)
		return false;
	return done || (job->learn.arm == STATS_ARM_KERNEL &&
			pages_are_small(first->view.delta) &&
			pages_differ((off_t)offset, job->end - job->addr));
}

static void end_learning(const struct job *job, bool done)
{
	learn_end(&job->learn, !done);
	if (has_paid(job, done))
		learn_paid(job->pieces[0].policy->number);
}

/*
 * Which arm's turn it is, by the rule of the range's first byte. For the
 * statistics the call may have begun already, on the short way.
 */
static void begin(struct job *job, struct request *request)
{
	const struct persist_policy *policy = job->pieces[0].policy;
	struct stats_call *call = &request->call;

	call->arm = policy->user ? STATS_ARM_USER : STATS_ARM_KERNEL;
	job->learns = policy->learns && (job->flags & MS_SYNC);
	if (job->learns) {
		begin_learning(job);
		call->arm = job->learn.arm;
	}
	if (call->start == 0 && (job->flags & MS_SYNC) &&
	    (request->start || policy->alternates))
		stats_begin(call, policy->number, request->start,
			    policy->alternates);
	job->arm = call->arm;
}

static NOINLINE int sync_thoroughly(struct request *request)
{
	struct job job;		/* large: not initialised as a whole */
	bool done;
	int result;

	job.addr = request->addr;
	job.end = request->end;
	job.flags = request->flags;
	job.epoch = request->epoch;
	job.npieces = 0;
	if (!take_apart(&job)) {
		if (job.npieces)
			count(&job, STATS_KERNEL_PARTLY, 1);
		return real.msync((void *)job.addr, job.end - job.addr,
				  job.flags);
	}
	begin(&job, request);
	done = sync_by_us(&job);
	result = done ? 0 : sync_by_kernel(&job);
	if (job.learns)
		end_learning(&job, done);
	if (request->call.start)
		stats_end(&request->call, job.end - job.addr, !done);
	return result;
}

/*
 * The short way
 */

static bool is_unchanged(const struct persist_policy *policy,
			 const struct region_view *view, uintptr_t end)
{
	struct file_look look;

	if (!needs_look(policy, view, end))
		return true;
	look_at(view->file, &look);
	return look.verdict == FILE_SAME && lies_within(view, end, look.size);
}

static bool goes_on(const struct persist_policy *policy,
		    const struct region_view *view, size_t len)
{
	const struct learn_range range = learned_range(policy, view, len);

	return learn_goes_on(&range);
}

static void went_on(const struct persist_policy *policy,
		    const struct region_view *view, size_t len)
{
	const struct learn_range range = learned_range(policy, view, len);

	learn_went_on(&range);
}

static NOINLINE void begin_counting(struct request *request, size_t rule)
{
	request->call.arm = STATS_ARM_USER;
	stats_begin(&request->call, rule, request->start, false);
}

static NOINLINE void end_counting(const struct request *request, size_t rule)
{
	stats_add(rule, STATS_FLUSHED, request->end - request->addr);
	stats_add(rule, STATS_PERSISTED, 1);
	stats_end(&request->call, request->end - request->addr, false);
}

/*
 * For what nearly every call is: MS_SYNC within one region that is persisted
 * from user space, with nothing to commit and nothing to time. False, perhaps
 * with lines flushed, when that does not hold: then the long way decides.
 *
 * What is no condition of flushing, the clock and the counting, comes behind
 * the flush, whose lines are under way meanwhile: 20 ns of 50 (bench,
 * "persist", 4 KiB, Zen 3).
 */
static bool sync_plainly(struct request *request, uint64_t value)
{
	const size_t len = request->end - request->addr;
	const struct persist_policy *policy;
	struct region_view view;

	if (!region_read(value, &view) || request->end > view.end)
		return false;
	policy = persist_policy(view.policy);
	if (!policy->plain || !has_access(&view) || view.synced_at == 0 ||
	    len > policy->kernel_above)
		return false;
	if (policy->learns && !goes_on(policy, &view, len))
		return false;
	if (!is_unchanged(policy, &view, request->end))
		return false;
	if (unlikely(request->start))
		begin_counting(request, policy->number);
	if (!persist_flush(policy, (void *)request->addr, len, &registry_epoch,
			   request->epoch))
		return false;
	if (policy->refresh != CONFIG_NEVER &&
	    is_due(policy, view.synced_at, coarse_now()))
		return false;
	persist_drain();
	if (policy->learns)
		went_on(policy, &view, len);
	if (unlikely(request->start))
		end_counting(request, policy->number);
	PROBE4(sync, request->addr, len, STATS_ARM_USER, STATS_PERSISTED);
	return true;
}

static bool is_plain(int flags)
{
	return (flags & MS_SYNC) &&
	       (!(flags & MS_INVALIDATE) || !mapping_was_locked());
}

/* Nothing to do, or wrong arguments. value: that of the first page. */
static NOINLINE int refuse(uint64_t value, int error)
{
	stats_add(persist_policy(region_policy(value))->number,
		  error ? STATS_INVALID : STATS_NOTHING, 1);
	if (error)
		errno = error;
	return error ? -1 : 0;
}

int sync_range(void *addr, size_t len, int flags)
{
	struct request request;
	uint64_t value;
	int error;

	if (!mapping_is_usable())
		return real.msync(addr, len, flags);
	/* Pairs with the increment in registry_withdraw. */
	request.epoch = atomic_load_explicit(&registry_epoch,
					     memory_order_acquire);
	value = registry_find((uintptr_t)addr);
	if (value == 0)
		return real.msync(addr, len, flags);
	pthread_testcancel();
	request.addr = (uintptr_t)addr;
	error = check_arguments(request.addr, len, flags, &request.end);
	if (unlikely(error || request.end <= request.addr))
		return refuse(value, error);
	request.flags = flags;
	request.start = stats_start();
	request.call.start = 0;
	if (is_plain(flags) && sync_plainly(&request, value))
		return 0;
	return sync_thoroughly(&request);
}
