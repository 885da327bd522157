/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * persist.c: policy: which flush, which copy, and the drain that ends both.
 *
 * Design: the choices of flush and of copy are independent of each other, and
 * a policy is their combination. eADR replaces the flush by nothing; the
 * drain stays, since a store is in the domain only once it has left the
 * store buffer (Intel, "eADR: New Opportunities for Persistent Memory
 * Applications", 2021).
 */
#include "shim/persist.h"

#include <errno.h>
#include <sched.h>
#include <sys/single_threaded.h>

#include "shim/compiler.h"
#include "shim/log.h"
#include "shim/probes.h"
#include "shim/real.h"

/* kernel_above=auto where the shim does not learn it: scanning 4 MiB of absent lines
 * costs 0.15 ms, about what one dirty 2 MiB entry costs the kernel twice. */
#define KERNEL_ABOVE_AUTO	((uint64_t)4 << 20)

static struct arch_ops arch;
struct persist_policy persist_policies[PERSIST_POLICIES_MAX];
static unsigned int npolicies;

/*
 * Threads in a flush, and whether this one is counted. In a line of its own
 * for most threads: one line for all would pass from core to core at every
 * msync.
 */
#define STRIPES	16
static struct {
	_Alignas(ARCH_LINE) _Atomic int n;
} flushing[STRIPES];
static _Thread_local int is_flushing;
static _Atomic bool tired_of_waiting;
#define WAIT_SECONDS	1

/* For a platform whose caches are in the persistence domain. */
static void flush_none(const void *addr, size_t len)
{
	(void)addr, (void)len;
}

static bool guarded_none(const void *addr, size_t len,
			 const _Atomic uint64_t *epoch, uint64_t expected)
{
	(void)addr, (void)len, (void)epoch, (void)expected;
	return true;
}

static void copy_cached(void *dst, const void *src, size_t len,
			arch_flush_fn flush)
{
	real.memmove(dst, src, len);
	flush(dst, len);
}

static void set_cached(void *dst, uint32_t pattern, size_t len,
		       arch_flush_fn flush)
{
	unsigned char *d = dst;
	const unsigned char *p = (const unsigned char *)&pattern;

	if (p[0] == p[1] && p[0] == p[2] && p[0] == p[3])
		real.memset(dst, p[0], len);
	else
		for (size_t i = 0; i < len; i++)
			d[i] = p[i % sizeof(pattern)];
	flush(dst, len);
}

void persist_init(const struct arch_ops *ops)
{
	arch = *ops;
}

/* The best instruction up to at_most, else above it; -1 without any. */
static int best_kind(enum arch_flush at_most)
{
	for (int kind = (int)at_most; kind >= 0; kind--)
		if (arch.flush[kind])
			return kind;
	for (int kind = (int)at_most; kind < ARCH_FLUSH_COUNT; kind++)
		if (arch.flush[kind])
			return kind;
	return -1;
}

bool persist_is_possible(void)
{
	return arch.drain && best_kind(ARCH_CLWB) >= 0;
}

static const char *flush_name(arch_flush_fn flush)
{
	if (flush == flush_none)
		return "none";
	if (flush == arch.flush[ARCH_CLWB])
		return "clwb";
	if (flush == arch.flush[ARCH_CLFLUSHOPT])
		return "clflushopt";
	return "clflush";
}

const char *persist_flush_name(const struct persist_policy *policy)
{
	return flush_name(policy->flush);
}

const char *persist_copy_name(const struct persist_policy *policy)
{
	if (!policy->copy)
		return "off";
	return policy->copy == copy_cached ? "cached" : "nt";
}

static const struct {
	enum arch_flush kind;
	const char *name;
} named_flush[] = {
	[CONFIG_FLUSH_CLWB] = { ARCH_CLWB, "clwb" },
	[CONFIG_FLUSH_CLFLUSHOPT] = { ARCH_CLFLUSHOPT, "clflushopt" },
	[CONFIG_FLUSH_CLFLUSH] = { ARCH_CLFLUSH, "clflush" },
};

static void choose_flush(struct persist_policy *policy)
{
	enum config_flush flush = policy->rule->flush;
	int kind;

	if (flush == CONFIG_FLUSH_NONE ||
	    (flush == CONFIG_FLUSH_AUTO && policy->cache_domain)) {
		policy->flush = flush_none;
		policy->guarded = guarded_none;
		return;
	}
	kind = best_kind(flush == CONFIG_FLUSH_AUTO ? ARCH_CLWB
						    : named_flush[flush].kind);
	if (policy->rule->dirty == CONFIG_DIRTY_OFF)
		policy->walk = kind == ARCH_CLFLUSH ? LEARN_WALK_SERIAL
						    : LEARN_WALK;
	policy->flush = arch.flush[kind];
	policy->guarded = arch.guarded[kind];
}

void persist_policy_warn(const struct persist_policy *policy)
{
	enum config_flush flush = policy->rule->flush;
	const char *path = policy->rule->path;

	if (flush == CONFIG_FLUSH_NONE && !policy->cache_domain)
		log_write(LOG_WARN, "rule %s: flush=none: the platform does not say that its caches survive a power failure; nothing is flushed, as the rule demands",
			  path);
	else if (flush != CONFIG_FLUSH_NONE && flush != CONFIG_FLUSH_AUTO &&
		 !arch.flush[named_flush[flush].kind])
		log_write(LOG_WARN, "rule %s: flush=%s: this CPU has no such instruction; %s is used instead",
			  path, named_flush[flush].name,
			  flush_name(policy->flush));
}

static void choose_copy(struct persist_policy *policy)
{
	enum config_copy copy = policy->rule->copy;

	policy->copy_min = SIZE_MAX;
	if (!policy->user || copy == CONFIG_COPY_OFF)
		return;
	if (arch.stream && copy != CONFIG_COPY_CACHED) {
		policy->copy = arch.stream->copy;
		policy->set = arch.stream->set;
	} else {
		policy->copy = copy_cached;
		policy->set = set_cached;
	}
	policy->copy_min = policy->rule->copy_min;
}

/* What is learned needs no limit; one that was given is kept. */
static void choose_limit(struct persist_policy *policy)
{
	policy->kernel_above = policy->rule->kernel_above;
	if (policy->kernel_above == CONFIG_AUTO)
		policy->kernel_above = policy->learns ? CONFIG_NEVER
						      : KERNEL_ABOVE_AUTO;
}

static void fill_policy(struct persist_policy *policy,
			const struct persist_want *want)
{
	policy->rule = want->rule;
	policy->number = want->number;
	policy->device = want->device;
	policy->cache_domain = want->cache_domain;
	policy->user = want->rule->mode != CONFIG_MODE_KERNEL;
	/* A device has no kernel's msync to take turns with. */
	policy->alternates = want->rule->mode == CONFIG_MODE_AB &&
			     !want->device;
	policy->learns = want->rule->mode == CONFIG_MODE_AUTO && !want->device;
	policy->plain = policy->user && !policy->alternates && !want->device &&
			want->rule->dirty == CONFIG_DIRTY_OFF;
	policy->verify = want->rule->verify;
	policy->refresh = want->rule->refresh;
	choose_flush(policy);
	choose_limit(policy);
	choose_copy(policy);
}

int persist_policy_for(const struct persist_want *want, unsigned int *number)
{
	for (unsigned int i = 0; i < npolicies; i++) {
		const struct persist_policy *policy = &persist_policies[i];

		if (policy->rule == want->rule &&
		    policy->cache_domain == want->cache_domain &&
		    policy->device == want->device) {
			*number = i;
			return 0;
		}
	}
	if (npolicies == PERSIST_POLICIES_MAX)
		return -ENOSPC;
	fill_policy(&persist_policies[npolicies], want);
	*number = npolicies++;
	return 1;
}

/*
 * The restartable sequence ends a flush that another thread overtakes, but not
 * a page fault that the flush is in: that goes on and may end in a signal. So
 * such flushes are counted, for whoever can wait for them.
 */
static _Atomic int *stripe(void)
{
	/* Thread-local storage lies beside stacks, megabytes apart. */
	return &flushing[((uintptr_t)&is_flushing * UINT64_C(0x9e3779b97f4a7c15)) >>
			 60].n;
}

static bool flush_begin(void)
{
	if (__libc_single_threaded || is_flushing)
		return false;
	is_flushing = 1;
	/* Before the epoch is compared. Pairs with the load in persist_wait. */
	atomic_fetch_add_explicit(stripe(), 1, memory_order_seq_cst);
	return true;
}

static void flush_end(void)
{
	atomic_fetch_sub_explicit(stripe(), 1, memory_order_release);
	is_flushing = 0;
}

bool persist_flush(const struct persist_policy *policy, const void *addr,
		   size_t len, const _Atomic uint64_t *epoch,
		   uint64_t expected)
{
	bool counted = flush_begin();
	bool done = policy->guarded(addr, len, epoch, expected);

	if (counted)
		flush_end();
	return done;
}

static bool others_flush(void)
{
	int sum = 0;

	for (size_t i = 0; i < STRIPES; i++)
		sum += atomic_load_explicit(&flushing[i].n,
					    memory_order_seq_cst);
	return sum > is_flushing;
}

void persist_wait(void)
{
	struct timespec start, now;
	int saved = errno;

	real_clock(CLOCK_MONOTONIC_COARSE, &start);
	while (others_flush() && !tired_of_waiting) {
		sched_yield();
		real_clock(CLOCK_MONOTONIC_COARSE, &now);
		if (now.tv_sec - start.tv_sec > WAIT_SECONDS)
			tired_of_waiting = true;
	}
	errno = saved;
}

void persist_after_fork(void)
{
	for (size_t i = 0; i < STRIPES; i++)
		atomic_store_explicit(&flushing[i].n, 0, memory_order_relaxed);
	atomic_store_explicit(stripe(), is_flushing, memory_order_relaxed);
}

void persist_drain(void)
{
	arch.drain();
}

void persist_copy(const struct persist_policy *policy, void *dst,
		  const void *src, size_t len)
{
	PROBE3(copy, dst, len, policy->number);
	policy->copy(dst, src, len, policy->flush);
	arch.drain();
}

void persist_set(const struct persist_policy *policy, void *dst,
		 uint32_t pattern, size_t len)
{
	PROBE3(copy, dst, len, policy->number);
	policy->set(dst, pattern, len, policy->flush);
	arch.drain();
}
