/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which flush and which copy a rule, a domain and a CPU lead to; and that a
 * persist flushes each line once and drains last.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "shim/log.h"
#include "shim/persist.h"
#include "tests/support/t_arch.h"

static struct config_rule rule = {
	.path = "/mnt/pmem", .path_len = 9, .copy_min = 1024,
	.kernel_above = CONFIG_AUTO, .verify = true,
};

static const struct persist_policy *policy_for(bool cache_domain)
{
	struct persist_want want = { .rule = &rule,
				     .cache_domain = cache_domain };
	unsigned int number;

	cr_assert_geq(persist_policy_for(&want, &number), 0);
	return persist_policy(number);
}

Test(persist, one_policy_for_one_want)
{
	struct persist_want want = { .rule = &rule };
	unsigned int a, b, c;

	persist_init(&t_arch_ops);
	cr_assert_eq(persist_policy_for(&want, &a), 1);
	cr_assert_eq(persist_policy_for(&want, &b), 0);
	want.cache_domain = true;
	cr_assert_eq(persist_policy_for(&want, &c), 1);
	cr_assert_eq(a, b);
	cr_assert_neq(a, c);
}

Test(persist, too_many_policies_are_refused)
{
	static struct config_rule rules[PERSIST_POLICIES_MAX + 1];
	unsigned int number;

	persist_init(&t_arch_ops);
	for (size_t i = 0; i < PERSIST_POLICIES_MAX; i++) {
		struct persist_want want = { .rule = &rules[i] };

		cr_assert_eq(persist_policy_for(&want, &number), 1);
		cr_assert_eq(number, i);
	}
	cr_assert_eq(persist_policy_for(&(struct persist_want){
			.rule = &rules[PERSIST_POLICIES_MAX] }, &number),
		     -ENOSPC);
}

Test(persist, cpu_caches_in_the_domain_are_not_flushed_but_drained)
{
	_Alignas(64) static char line[64];
	static _Atomic uint64_t epoch;
	const struct persist_policy *policy;

	persist_init(&t_arch_ops);
	policy = policy_for(true);
	cr_assert_str_eq(persist_flush_name(policy), "none");
	cr_assert(persist_flush(policy, line, sizeof(line), &epoch, 0));
	persist_drain();
	cr_assert_eq(t_arch_flushes(), 0);
	cr_assert_eq(t_arch_drains(), 1);
}

static const char *flush_with(unsigned int missing, enum config_flush want)
{
	static struct arch_ops ops;

	ops = t_arch_ops;
	/* Distinguishable, and callable only by mistake. */
	ops.flush[ARCH_CLFLUSH] = (arch_flush_fn)1;
	ops.flush[ARCH_CLFLUSHOPT] = (arch_flush_fn)2;
	ops.flush[ARCH_CLWB] = (arch_flush_fn)3;
	for (int i = 0; i < ARCH_FLUSH_COUNT; i++)
		if (missing >> i & 1)
			ops.flush[i] = NULL;
	persist_init(&ops);
	rule.flush = want;
	return persist_flush_name(policy_for(false));
}

#define WITHOUT(kind)	(1u << (kind))

Test(persist, auto_takes_clwb)
{
	cr_assert_str_eq(flush_with(0, CONFIG_FLUSH_AUTO), "clwb");
}

Test(persist, without_clwb_auto_takes_clflushopt)
{
	cr_assert_str_eq(flush_with(WITHOUT(ARCH_CLWB), CONFIG_FLUSH_AUTO),
			 "clflushopt");
}

Test(persist, with_clflush_alone_auto_takes_that)
{
	cr_assert_str_eq(flush_with(WITHOUT(ARCH_CLWB) |
				    WITHOUT(ARCH_CLFLUSHOPT),
				    CONFIG_FLUSH_AUTO), "clflush");
}

Test(persist, a_named_flush_is_taken)
{
	cr_assert_str_eq(flush_with(0, CONFIG_FLUSH_CLFLUSHOPT), "clflushopt");
}

Test(persist, a_named_flush_that_is_missing_falls_to_the_next)
{
	cr_assert_str_eq(flush_with(WITHOUT(ARCH_CLFLUSHOPT),
				    CONFIG_FLUSH_CLFLUSHOPT), "clflush");
}

Test(persist, a_named_flush_that_is_the_least_falls_upwards)
{
	cr_assert_str_eq(flush_with(WITHOUT(ARCH_CLFLUSH) |
				    WITHOUT(ARCH_CLFLUSHOPT),
				    CONFIG_FLUSH_CLFLUSH), "clwb");
}

Test(persist, a_copy_under_flush_none_is_drained_all_the_same)
{
	static char from[2048], to[2048];

	persist_init(&t_arch_ops);
	rule.flush = CONFIG_FLUSH_NONE;
	t_arch_reset();
	persist_copy(policy_for(false), to, from, sizeof(to));
	cr_assert_eq(t_arch_flushes(), 0);
	cr_assert_eq(t_arch_drains(), 1);
}

Test(persist, flush_none_is_obeyed_outside_the_domain)
{
	cr_assert_str_eq(flush_with(0, CONFIG_FLUSH_NONE), "none");
}

Test(persist, an_architecture_without_flush_persists_nothing)
{
	struct arch_ops none = { .nstreams = 0 };

	persist_init(&none);
	cr_assert_not(persist_is_possible());
	persist_init(&t_arch_ops);
	cr_assert(persist_is_possible());
}

Test(persist, copies_follow_the_rule)
{
	struct arch_ops ops = t_arch_ops;

	persist_init(&ops);
	rule.copy = CONFIG_COPY_AUTO;
	cr_assert_str_eq(persist_copy_name(policy_for(false)), "nt");
	cr_assert_eq(policy_for(false)->copy_min, 1024);
}

Test(persist, copy_off_leaves_copies_to_libc)
{
	persist_init(&t_arch_ops);
	rule.copy = CONFIG_COPY_OFF;
	cr_assert_null(policy_for(false)->copy);
	cr_assert_eq(policy_for(false)->copy_min, SIZE_MAX);
}

Test(persist, mode_kernel_leaves_copies_to_libc)
{
	persist_init(&t_arch_ops);
	rule.mode = CONFIG_MODE_KERNEL;
	cr_assert_not(policy_for(false)->user);
	cr_assert_null(policy_for(false)->copy);
}

Test(persist, mode_ab_takes_turns_where_there_is_a_kernels_msync)
{
	struct persist_want want = { .rule = &rule, .device = true };
	unsigned int number;

	persist_init(&t_arch_ops);
	rule.mode = CONFIG_MODE_AB;
	cr_assert(policy_for(false)->user);
	cr_assert(policy_for(false)->alternates);
	cr_assert_not_null(policy_for(false)->copy);
	cr_assert_geq(persist_policy_for(&want, &number), 0);
	cr_assert(persist_policy(number)->user);
	cr_assert_not(persist_policy(number)->alternates);
}

Test(persist, a_streamed_copy_is_durable_on_return)
{
	_Alignas(64) static char from[4096], to[4096];

	persist_init(&t_arch_ops);
	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (char)(i * 7);
	persist_copy(policy_for(false), to + 3, from, 2000);
	cr_assert_arr_eq(to + 3, from, 2000);
	cr_assert_eq(t_arch_streamed(), 2000);
	cr_assert(t_arch_persisted_once(to + 3, 2000));
}

Test(persist, a_cached_copy_is_flushed_and_drained_once)
{
	_Alignas(64) static char from[4096], to[4096];

	persist_init(&t_arch_ops);
	rule.copy = CONFIG_COPY_CACHED;
	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (char)(i * 5);
	persist_copy(policy_for(false), to + 60, from, 1500);
	cr_assert_arr_eq(to + 60, from, 1500);
	cr_assert_eq(t_arch_streamed(), 0);
	cr_assert(t_arch_persisted_once(to + 60, 1500));
}

Test(persist, a_cached_set_keeps_the_phase_of_its_pattern)
{
	_Alignas(64) static unsigned char to[256];
	static const unsigned char pattern[] = { 1, 2, 3, 4 };
	uint32_t word;

	persist_init(&t_arch_ops);
	rule.copy = CONFIG_COPY_CACHED;
	__builtin_memcpy(&word, pattern, 4);
	persist_set(policy_for(false), to + 3, word, 103);
	for (size_t i = 0; i < 103; i++)
		cr_assert_eq(to[3 + i], pattern[i % 4]);
	cr_assert_eq(to[2], 0);
	cr_assert_eq(to[106], 0);
	cr_assert(t_arch_persisted_once(to + 3, 103));
}

/* A flush that hangs, as in a page fault, until it is let go. */
static _Atomic int hanging, let_go, returned;

static bool hang(const void *addr, size_t len, const _Atomic uint64_t *epoch,
		 uint64_t expected)
{
	(void)addr, (void)len, (void)epoch, (void)expected;
	hanging = 1;
	while (!let_go)
		usleep(1000);
	returned = 1;
	return true;
}

static const struct persist_policy *hanging_policy(void)
{
	static struct arch_ops ops;

	ops = t_arch_ops;
	for (int kind = 0; kind < ARCH_FLUSH_COUNT; kind++)
		ops.guarded[kind] = hang;
	persist_init(&ops);
	return policy_for(false);
}

static void *flush_and_hang(void *policy)
{
	static _Atomic uint64_t epoch;

	persist_flush(policy, &epoch, 1, &epoch, 0);
	return NULL;
}

static void until_it_hangs(void)
{
	for (int i = 0; i < 20000 && !hanging; i++)
		usleep(1000);
	cr_assert(hanging);
}

static void *let_go_soon(void *unused)
{
	usleep(50000);
	let_go = 1;
	return unused;
}

Test(persist, whoever_waits_waits_for_the_flush_of_another_thread)
{
	pthread_t flusher, helper;

	pthread_create(&flusher, NULL, flush_and_hang,
		       (void *)hanging_policy());
	until_it_hangs();
	pthread_create(&helper, NULL, let_go_soon, NULL);
	errno = 77;
	persist_wait();
	cr_assert(returned);
	cr_assert_eq(errno, 77);
	pthread_join(flusher, NULL);
	pthread_join(helper, NULL);
}

Test(persist, nobody_waits_forever_nor_twice)
{
	struct timespec a, b, c;
	pthread_t flusher;

	pthread_create(&flusher, NULL, flush_and_hang,
		       (void *)hanging_policy());
	until_it_hangs();
	clock_gettime(CLOCK_MONOTONIC, &a);
	persist_wait();
	clock_gettime(CLOCK_MONOTONIC, &b);
	persist_wait();
	clock_gettime(CLOCK_MONOTONIC, &c);
	cr_assert_geq(b.tv_sec - a.tv_sec, 1);
	cr_assert(!returned);
	cr_assert_leq(c.tv_sec - b.tv_sec, 1);
	let_go = 1;
	pthread_join(flusher, NULL);
}

static _Atomic int waited;

static bool wait_within(const void *addr, size_t len,
			const _Atomic uint64_t *epoch, uint64_t expected)
{
	(void)addr, (void)len, (void)epoch, (void)expected;
	persist_wait();
	waited++;
	return true;
}

static void *flush_and_wait_within(void *unused)
{
	static struct arch_ops ops;

	ops = t_arch_ops;
	for (int kind = 0; kind < ARCH_FLUSH_COUNT; kind++)
		ops.guarded[kind] = wait_within;
	persist_init(&ops);
	flush_and_hang((void *)policy_for(false));
	return unused;
}

/* A signal handler that shortens a file in the middle of its thread's flush. */
Test(persist, nobody_waits_for_himself)
{
	struct timespec a, b;
	pthread_t thread;

	clock_gettime(CLOCK_MONOTONIC, &a);
	pthread_create(&thread, NULL, flush_and_wait_within, NULL);
	pthread_join(thread, NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	cr_assert_eq(waited, 1);
	cr_assert_leq(b.tv_sec - a.tv_sec, 1);
}

/* What is logged when the policy for the rule is made. */
static const char *warned(enum config_flush flush, size_t without)
{
	static char said[512];
	struct arch_ops ops = t_arch_ops;
	int log = memfd_create("stderr", 0);
	ssize_t n;

	cr_assert_eq(dup2(log, STDERR_FILENO), STDERR_FILENO);
	log_init();
	for (size_t i = 0; i < without; i++)
		ops.flush[ARCH_FLUSH_COUNT - 1 - i] = NULL;
	persist_init(&ops);
	rule.flush = flush;
	persist_policy_warn(policy_for(false));
	n = pread(log, said, sizeof(said) - 1, 0);
	said[n < 0 ? 0 : n] = '\0';
	return said;
}

Test(persist, flush_none_outside_the_domain_is_warned_of)
{
	cr_assert_not_null(strstr(warned(CONFIG_FLUSH_NONE, 0),
				  "rule /mnt/pmem: flush=none"));
}

Test(persist, a_missing_instruction_is_warned_of)
{
	const char *said = warned(CONFIG_FLUSH_CLWB, 1);

	cr_assert_not_null(strstr(said, "rule /mnt/pmem: flush=clwb: "));
}

Test(persist, what_the_cpu_has_is_not_warned_of)
{
	cr_assert_str_eq(warned(CONFIG_FLUSH_AUTO, 0), "");
}

Test(persist, copies_have_a_name)
{
	persist_init(&t_arch_ops);
	rule.copy = CONFIG_COPY_OFF;
	cr_assert_str_eq(persist_copy_name(policy_for(false)), "off");
	rule.copy = CONFIG_COPY_CACHED;
	cr_assert_str_eq(persist_copy_name(policy_for(true)), "cached");
}
