/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The radix against one number per page.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "shim/registry.h"
#include "tests/support/t_pages.h"

#define PAGE	REGISTRY_PAGE
#define MIB2	((uintptr_t)2 << 20)
#define GIB	((uintptr_t)1 << 30)
#define BASE	(40 * GIB)

static uint64_t set_to(void *context, uint64_t value, size_t pages, bool lost)
{
	(void)value, (void)pages, (void)lost;
	return *(uint64_t *)context;
}

static int set_range(uintptr_t addr, uintptr_t end, uint64_t value)
{
	struct registry_guard guard;
	int error;

	registry_lock(&guard);
	error = registry_update(addr, end, set_to, &value);
	registry_unlock(&guard);
	return error;
}

Test(registry, is_empty_at_first)
{
	cr_assert_eq(registry_find(BASE), 0);
	cr_assert_eq(registry_find(0), 0);
	cr_assert_eq(registry_find(UINTPTR_MAX), 0);
	cr_assert_eq(registry_pages(), 0);
	cr_assert_not(registry_touches(0, UINTPTR_MAX));
}

Test(registry, one_page_is_one_page)
{
	cr_assert_eq(set_range(BASE, BASE + PAGE, 7), 0);
	cr_assert_eq(registry_find(BASE - 1), 0);
	cr_assert_eq(registry_find(BASE), 7);
	cr_assert_eq(registry_find(BASE + PAGE - 1), 7);
	cr_assert_eq(registry_find(BASE + PAGE), 0);
	cr_assert_eq(registry_pages(), 1);
}

Test(registry, largest_value_comes_back)
{
	uint64_t value = REGISTRY_VALUE_LIMIT - 1;

	cr_assert_eq(set_range(BASE, BASE + GIB, value), 0);
	cr_assert_eq(registry_find(BASE + GIB - 1), value);
}

Test(registry, unmap_middle_splits_a_granule)
{
	set_range(BASE, BASE + 2 * GIB, 3);
	set_range(BASE + GIB + 5 * PAGE, BASE + GIB + 6 * PAGE, 0);
	cr_assert_eq(registry_find(BASE + GIB + 4 * PAGE), 3);
	cr_assert_eq(registry_find(BASE + GIB + 5 * PAGE), 0);
	cr_assert_eq(registry_find(BASE + GIB + 6 * PAGE), 3);
	cr_assert_eq(registry_find(BASE + 2 * GIB - 1), 3);
	cr_assert_eq(registry_pages(), 2 * GIB / PAGE - 1);
}

Test(registry, touches_sees_first_and_last_page_only_inside)
{
	set_range(BASE + MIB2, BASE + MIB2 + PAGE, 1);
	cr_assert_not(registry_touches(BASE, BASE + MIB2));
	cr_assert(registry_touches(BASE, BASE + MIB2 + 1));
	cr_assert(registry_touches(BASE + MIB2 + PAGE - 1, BASE + GIB));
	cr_assert_not(registry_touches(BASE + MIB2 + PAGE, UINTPTR_MAX));
}

Test(registry, touches_sees_what_lies_behind_an_untracked_page)
{
	set_range(BASE, BASE + PAGE, 1);
	set_range(BASE + MIB2, BASE + MIB2 + PAGE, 1);
	cr_assert(registry_touches(BASE + PAGE, BASE + MIB2 + PAGE));
	cr_assert_not(registry_touches(BASE + PAGE, BASE + MIB2));
}

Test(registry, a_withdrawal_is_another_epoch)
{
	uint64_t before = atomic_load(&registry_epoch);
	struct registry_guard guard;

	registry_lock(&guard);
	registry_withdraw();
	registry_unlock(&guard);
	cr_assert_neq(atomic_load(&registry_epoch), before);
}

Test(registry, run_stops_where_the_value_changes_and_at_the_limit)
{
	uintptr_t end;

	set_range(BASE, BASE + GIB, 1);
	set_range(BASE + GIB, BASE + GIB + 3 * PAGE, 2);
	cr_assert_eq(registry_run(BASE + PAGE, BASE + 2 * GIB, &end), 1);
	cr_assert_eq(end, BASE + GIB);
	cr_assert_eq(registry_run(end, BASE + 2 * GIB, &end), 2);
	cr_assert_eq(end, BASE + GIB + 3 * PAGE);
	cr_assert_eq(registry_run(end, BASE + 2 * GIB, &end), 0);
	cr_assert_eq(end, BASE + 2 * GIB);
	cr_assert_eq(registry_run(BASE, BASE + 5, &end), 1);
	cr_assert_eq(end, BASE + 5);
}

Test(registry, addresses_above_the_limit_are_never_tracked)
{
	uintptr_t end;

	cr_assert_eq(set_range(REGISTRY_LIMIT - PAGE, REGISTRY_LIMIT, 9), 0);
	cr_assert_eq(registry_find(REGISTRY_LIMIT - 1), 9);
	cr_assert_eq(registry_find(REGISTRY_LIMIT), 0);
	cr_assert_eq(registry_run(REGISTRY_LIMIT - PAGE,
				  REGISTRY_LIMIT + GIB, &end), 9);
	cr_assert_eq(end, REGISTRY_LIMIT);
}

/* A range that ends on, before or behind the edge of a granule. */
static void random_range(uint64_t *state, uintptr_t window, uintptr_t *addr,
			 uintptr_t *end)
{
	static const uintptr_t unit[] = { PAGE, MIB2, GIB };
	uintptr_t step = unit[t_random(state) % 3];
	uintptr_t a = t_random(state) % window / step * step;
	uintptr_t len = (1 + t_random(state) % 4) * step;

	if (t_random(state) % 2)
		a += t_random(state) % 3 * PAGE;
	if (t_random(state) % 2)
		len += t_random(state) % 3 * PAGE;
	*addr = BASE + a;
	*end = BASE + (a + len < window ? a + len : window);
}

static void compare(const struct t_pages *model, uintptr_t window)
{
	for (uintptr_t addr = BASE; addr < BASE + window;) {
		uint64_t value = t_pages_get(model, addr);
		uintptr_t end;

		cr_assert_eq(registry_run(addr, BASE + window, &end), value,
			     "at %#lx", addr);
		for (; addr < end; addr += PAGE) {
			if (t_pages_get(model, addr) != value)
				cr_assert_fail("run too long at %#lx", addr);
			if (registry_find(addr + addr % 4095) != value)
				cr_assert_fail("find differs at %#lx", addr);
		}
		if (end < BASE + window && t_pages_get(model, end) == value)
			cr_assert_fail("run too short at %#lx", end);
	}
	cr_assert_eq(registry_pages(), t_pages_tracked(model));
}

Test(registry, random_changes_agree_with_a_list_of_pages)
{
	const uintptr_t window = 3 * GIB;
	struct t_pages *model = t_pages_new(BASE, window / PAGE);
	uint64_t state = 20261121;

	for (int step = 0; step < 3000; step++) {
		uint64_t value = t_random(&state) % 4;
		uintptr_t addr, end;

		random_range(&state, window, &addr, &end);
		cr_assert_eq(set_range(addr, end, value), 0);
		t_pages_set(model, addr, end, value);
		if (step % 150 == 149)
			compare(model, window);
	}
	t_pages_free(model);
}

struct count {
	size_t pages[2];	/* by value */
	size_t lost[2];
};

static uint64_t clear_counting(void *context, uint64_t value, size_t pages,
			       bool lost)
{
	struct count *count = context;

	if (lost)
		count->lost[value] += pages;
	else
		count->pages[value] += pages;
	return 0;
}

Test(registry, update_reports_every_page_once)
{
	struct registry_guard guard;
	struct count count = { 0 };

	set_range(BASE + PAGE, BASE + GIB + PAGE, 1);
	registry_lock(&guard);
	registry_update(BASE, BASE + 2 * GIB, clear_counting, &count);
	registry_unlock(&guard);
	cr_assert_eq(count.pages[1], GIB / PAGE);
	cr_assert_eq(count.pages[0], GIB / PAGE);
	cr_assert_eq(count.lost[1], 0);
}

/* From here on the process can map nothing more. */
static void exhaust_memory(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = 1;
	setrlimit(RLIMIT_AS, &limit);
	/* What an earlier chunk still has would hide the shortage. */
	for (uintptr_t a = 60 * GIB; set_range(a, a + PAGE, 1) == 0; a += GIB)
		;
}

Test(registry, without_memory_a_split_granule_is_lost_and_reported)
{
	struct registry_guard guard;
	struct count count = { 0 };

	set_range(BASE, BASE + GIB, 1);
	exhaust_memory();
	registry_lock(&guard);
	cr_assert_eq(registry_update(BASE, BASE + PAGE, clear_counting,
				     &count), -ENOMEM);
	registry_unlock(&guard);
	cr_assert_eq(count.pages[1], 1);
	cr_assert_eq(count.lost[1], GIB / PAGE - 1);
	cr_assert_eq(registry_find(BASE + GIB / 2), 0);
}

Test(registry, without_memory_nothing_finer_can_be_set)
{
	size_t before;

	exhaust_memory();
	before = registry_pages();
	cr_assert_eq(set_range(BASE + PAGE, BASE + 2 * PAGE, 1), -ENOMEM);
	cr_assert_eq(registry_find(BASE + PAGE), 0);
	cr_assert_eq(registry_pages(), before);
}

Test(registry, lock_blocks_signals_and_restores_the_mask)
{
	struct registry_guard guard;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	registry_lock(&guard);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	cr_assert(sigismember(&set, SIGUSR1));
	cr_assert(sigismember(&set, SIGALRM));
	registry_unlock(&guard);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	cr_assert_not(sigismember(&set, SIGUSR1));
	cr_assert(sigismember(&set, SIGUSR2));
}

/*
 * Each page of the window holds 0 or its own number, never another page's.
 */
#define READERS 3
static atomic_bool stop;

static void *read_pages(void *arg)
{
	uint64_t state = (uint64_t)(uintptr_t)arg;
	uintptr_t wrong = 0;

	while (!atomic_load(&stop)) {
		uintptr_t page = t_random(&state) % 1024;
		uint64_t value = registry_find(BASE + page * PAGE);

		if (value != 0 && value != page / 8 + 1)
			wrong++;
	}
	return (void *)wrong;
}

Test(registry, readers_see_old_or_new_while_a_writer_changes)
{
	pthread_t readers[READERS];
	uint64_t state = 5;
	void *wrong;

	for (uintptr_t i = 0; i < READERS; i++)
		pthread_create(&readers[i], NULL, read_pages, (void *)(i + 1));
	for (int i = 0; i < 20000; i++) {
		uintptr_t piece = t_random(&state) % 128;

		set_range(BASE + piece * 8 * PAGE, BASE + piece * 8 * PAGE +
			  8 * PAGE, t_random(&state) % 2 ? piece + 1 : 0);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++) {
		pthread_join(readers[i], &wrong);
		cr_assert_null(wrong);
	}
}
