/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What mode=auto learns, on kernels that only keep accounts: over 10,000
 * syncs of each pattern it is held against both fixed ways. PATTERNS are those
 * of real programs that sync their mappings, and adversarial ones.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "shim/learn.h"
#include "tests/support/t_kernel.h"

#define PAGE	4096
#define SYNCS	10000
#define LEARNT	200

enum { KERNEL = STATS_ARM_KERNEL, USER = STATS_ARM_USER, AUTO, WAYS };

static struct t_kernel *kernel;
static uint64_t npages, random_state;
static enum learn_walk walk = LEARN_WALK;

static uint64_t now(void)
{
	return t_kernel_time(kernel);
}

static uint64_t faults(void)
{
	return t_kernel_faults(kernel);
}

static const struct learn_sources sources = { .now = now, .faults = faults };
static struct stats_file_belief beliefs[64][STATS_CELLS];

static void note(size_t rule, size_t cell,
		 const struct stats_file_belief *belief)
{
	beliefs[rule][cell] = *belief;
}

static void start(void)
{
	learn_init(&sources, note);
}

TestSuite(learn, .init = start);

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return *state >> 33;
}

static uint64_t below(uint64_t n)
{
	return next_random(&random_state) % n;
}

/* Patterns: store, and say which pages are synced */

struct range {
	uint64_t first, n;
};

typedef struct range (*pattern_fn)(uint64_t i);

static struct range whole(void)
{
	return (struct range){ 0, npages };
}

static struct range one_page(uint64_t i)
{
	(void)i;
	t_kernel_store(kernel, below(npages), 1);
	return whole();
}

static struct range eight_pages(uint64_t i)
{
	(void)i;
	for (int k = 0; k < 8; k++)
		t_kernel_store(kernel, below(npages), 8);
	return whole();
}

static struct range hot_page(uint64_t i)
{
	(void)i;
	t_kernel_store(kernel, npages > 7 ? 7 : 0, 1);
	return whole();
}

static struct range every_page(uint64_t i)
{
	(void)i;
	for (uint64_t page = 0; page < npages; page++)
		t_kernel_store(kernel, page, 64);
	return whole();
}

/* Ten pages and the whole map, then the meta page alone. */
static struct range data_then_meta(uint64_t i)
{
	uint64_t first = 1 + below(npages - 20);

	if (i % 2) {
		t_kernel_store(kernel, 0, 1);
		return (struct range){ 0, 1 };
	}
	for (uint64_t k = 0; k < 10; k++)
		t_kernel_store(kernel, first + k, 20);
	return whole();
}

static struct range short_ranges(uint64_t i)
{
	struct range range = { below(npages - 4), 1 + below(4) };

	(void)i;
	for (uint64_t k = 0; k < range.n; k++)
		t_kernel_store(kernel, range.first + k, 4);
	return range;
}

static struct range append(uint64_t i)
{
	struct range range = { i * 16 % (npages - 15), 16 };

	for (uint64_t k = 0; k < range.n; k++)
		t_kernel_store(kernel, range.first + k, 64);
	return range;
}

static struct range dirty_then_clean(uint64_t i)
{
	return i / 2500 % 2 ? hot_page(i) : every_page(i);
}

static struct range clean_then_dirty(uint64_t i)
{
	return i / 2500 % 2 ? every_page(i) : hot_page(i);
}

static struct range short_phases(uint64_t i)
{
	return i / 300 % 2 ? every_page(i) : hot_page(i);
}

static struct range in_turns(uint64_t i)
{
	return i % 2 ? hot_page(i) : every_page(i);
}

static struct range two_sizes(uint64_t i)
{
	struct range range = { below(npages), 1 };

	if (below(10) == 0)
		return one_page(i);
	t_kernel_store(kernel, range.first, 64);
	return range;
}

static struct range two_loads(uint64_t i)
{
	if (below(2))
		return eight_pages(i);
	for (uint64_t page = 0; page < npages / 2; page++)
		t_kernel_store(kernel, page, 64);
	return whole();
}

static const struct pattern {
	const char *name;
	pattern_fn next;
	uint64_t len, work, pause;	/* ns between syncs; of a late thread */
} patterns[] = {
	{ "gdbm, one page of 128 KiB", one_page, 128 << 10, 5000, 0 },
	{ "gdbm, eight pages of 512 KiB", eight_pages, 512 << 10, 5000, 100000 },
	{ "LMDB, 64 MiB and its meta page", data_then_meta, 64 << 20, 20000, 100000 },
	{ "slapd, 32 MiB and its meta page", data_then_meta, 32 << 20, 200000, 4000000 },
	{ "Kyoto Cabinet, 4 MiB", eight_pages, 4 << 20, 20000, 100000 },
	{ "tdb, one to four pages", short_ranges, 1 << 20, 5000, 100000 },
	{ "RocksDB, appending 64 KiB", append, 64 << 20, 5000, 0 },
	{ "fio, 64 KiB of 1 MiB", append, 1 << 20, 5000, 100000 },
	{ "java, 64 KiB, all of it", every_page, 64 << 10, 5000, 100000 },
	{ "numpy, 4 MiB, all of it", every_page, 4 << 20, 100000, 0 },
	{ "sqlite, a page of 32 KiB", one_page, 32 << 10, 5000, 0 },
	{ "one page of 1 MiB", one_page, 1 << 20, 5000, 0 },
	{ "one page of 2 MiB", one_page, 2 << 20, 5000, 0 },
	{ "one page", hot_page, PAGE, 1000, 0 },
	{ "one hot page in 10 GiB", hot_page, UINT64_C(10) << 30, 1000, 0 },
	{ "dirty for 2,500 syncs, then hardly, 1 MiB", dirty_then_clean, 1 << 20, 5000, 100000 },
	{ "hardly, then dirty, 1 MiB", clean_then_dirty, 1 << 20, 5000, 100000 },
	{ "dirty, then hardly, 4 MiB", dirty_then_clean, 4 << 20, 5000, 0 },
	{ "hardly, then dirty, 4 MiB", clean_then_dirty, 4 << 20, 5000, 0 },
	{ "phases of 300 syncs, 1 MiB", short_phases, 1 << 20, 5000, 0 },
	{ "dirty and hardly in turns, 1 MiB", in_turns, 1 << 20, 5000, 0 },
	{ "a page, and now and then 32 MiB", two_sizes, 32 << 20, 5000, 100000 },
	{ "eight pages or half of 1 MiB", two_loads, 1 << 20, 5000, 100000 },
};

/* What the syncs have cost after each of them */
struct course {
	uint64_t after[SYNCS];
};

static struct course courses[WAYS];

static enum stats_arm decide(struct learn_call *call, size_t rule,
			     struct range range, bool huge)
{
	const struct learn_range asked = {
		.rule = rule, .len = range.n * PAGE, .small = !huge,
		.walk = walk,
	};

	learn_begin(call, &asked);
	if (call->start && call->arm == STATS_ARM_KERNEL)
		t_kernel_look(kernel);
	return call->arm;
}

static void run(const struct pattern *pattern, int way, size_t rule, bool huge,
		const struct t_kernel_costs *costs)
{
	uint64_t jitter = 7;

	kernel = t_kernel_map(costs, pattern->len, huge);
	npages = pattern->len / PAGE;
	random_state = 42;
	for (uint64_t i = 0; i < SYNCS; i++) {
		struct range range = pattern->next(i);
		struct learn_call call;
		enum stats_arm arm = (enum stats_arm)way;

		t_kernel_work(kernel, pattern->work / 2 +
				      next_random(&jitter) % pattern->work);
		if (way == AUTO)
			arm = decide(&call, rule, range, huge);
		t_kernel_sync(kernel, arm, range.first, range.n);
		if (pattern->pause && next_random(&jitter) % 200 == 0)
			t_kernel_work(kernel, pattern->pause);
		if (way == AUTO) {
			call.commit = t_kernel_committed(kernel);
			learn_end(&call, t_kernel_by_msync(kernel));
		}
		courses[way].after[i] = t_kernel_spent(kernel);
	}
	t_kernel_unmap(kernel);
}

static const struct course *best_of_fixed(void)
{
	return courses[USER].after[SYNCS - 1] < courses[KERNEL].after[SYNCS - 1]
	     ? &courses[USER] : &courses[KERNEL];
}

static double share(const struct course *best, size_t after)
{
	return (double)courses[AUTO].after[after] / (double)best->after[after];
}

/*
 * No way can be chosen without knowing what a sync of the kernel costs: one
 * such sync for each size is not counted.
 */
static void expect_never_far(const struct pattern *pattern, const char *pages)
{
	const struct course *best = best_of_fixed();
	const uint64_t sizes = pattern->next == short_ranges ? 3 : 1;
	const uint64_t first = sizes * courses[KERNEL].after[SYNCS - 1] / SYNCS;

	for (size_t i = LEARNT; i < SYNCS; i++)
		if (courses[AUTO].after[i] * 100 >
		    best->after[i] * 110 + first * 100) {
			cr_expect(false, "%s, %s: %.3f of the best after %zu",
				  pattern->name, pages, share(best, i), i);
			return;
		}
}

/* limit: how much of the best fixed way all syncs together may cost. */
static void compare(const struct pattern *pattern, size_t rule, bool huge,
		    const struct t_kernel_costs *costs, double limit)
{
	const char *pages = huge ? "huge" : "small";
	double total;

	for (int way = 0; way < WAYS; way++)
		run(pattern, way, rule, huge, costs);
	total = share(best_of_fixed(), SYNCS - 1);
	cr_expect(total <= limit, "%s, %s: %.3f of the best", pattern->name,
		  pages, total);
	if (costs == &t_kernel_costs)
		expect_never_far(pattern, pages);
}

static void compare_all(const struct t_kernel_costs *costs, double limit)
{
	size_t n = sizeof(patterns) / sizeof(patterns[0]);

	for (size_t i = 0; i < n; i++) {
		compare(&patterns[i], i, false, costs, limit);
		compare(&patterns[i], i + n, true, costs, limit);
	}
}

Test(learn, ends_within_a_twentieth_of_the_best_way, .timeout = 170)
{
	compare_all(&t_kernel_costs, 1.05);
}

/* Machines that the first guesses were not made for. */

/* A flush of a dirty line waits for the medium. */
Test(learn, ends_near_it_on_a_slow_medium, .timeout = 170)
{
	struct t_kernel_costs costs = t_kernel_costs;

	costs.line_dirty = 25000;
	costs.line_clean = 3000;
	costs.fault = 2200;
	costs.commit = 4000;
	costs.syscall = 3000;
	compare_all(&costs, 1.2);
}

/* A processor without CLWB and CLFLUSHOPT. */
Test(learn, ends_near_it_where_every_flush_waits, .timeout = 170)
{
	struct t_kernel_costs costs = t_kernel_costs;

	costs.line_dirty = 190000;
	costs.line_clean = 100000;
	walk = LEARN_WALK_SERIAL;
	compare_all(&costs, 1.2);
}

static const struct pattern *pattern_named(const char *name)
{
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (strcmp(patterns[i].name, name) == 0)
			return &patterns[i];
	cr_assert(false, "%s", name);
	return NULL;
}

/* A single persist of 10 GiB would be as long as 100,000 syncs. */
Test(learn, nobody_walks_10_GiB_to_learn_that_it_is_far)
{
	const size_t cell = learn_cell_number(UINT64_C(10) << 30, true);

	run(pattern_named("one hot page in 10 GiB"), AUTO, 0, false,
	    &t_kernel_costs);
	cr_assert_eq(beliefs[0][cell].samples[USER], 0);
	cr_assert_eq(beliefs[0][cell].chosen, KERNEL);
	cr_assert_gt(beliefs[0][cell].samples[KERNEL], 500);
}

Test(learn, what_is_believed_is_what_syncs_cost)
{
	const size_t cell = learn_cell_number(64 << 10, true);
	const struct stats_file_belief *belief = &beliefs[0][cell];

	run(pattern_named("java, 64 KiB, all of it"), AUTO, 0, false,
	    &t_kernel_costs);
	cr_assert_eq(belief->chosen, USER);
	cr_assert(belief->cost_ns[USER] > 5000 && belief->cost_ns[USER] < 7000);
	/* 16 entries to clean, and 16 faults. */
	cr_assert(belief->sync_ns[KERNEL] > 9000 &&
		  belief->sync_ns[KERNEL] < 13000);
	cr_assert(belief->faults[KERNEL] >= 15000 &&
		  belief->faults[KERNEL] <= 16000);
	cr_assert_geq(belief->changes, 1);
}

/* Its faults and clock begin anew, what was learned does not. */
Test(learn, a_child_knows_what_its_parent_did)
{
	const size_t cell = learn_cell_number(64 << 10, true);
	struct learn_range range = { .len = 64 << 10, .small = true,
				     .walk = LEARN_WALK };
	struct learn_call call;

	run(pattern_named("java, 64 KiB, all of it"), AUTO, 0, false,
	    &t_kernel_costs);
	memset(beliefs, 0, sizeof(beliefs));
	kernel = t_kernel_map(&t_kernel_costs, 64 << 10, false);
	learn_after_fork();
	cr_assert_eq(beliefs[0][cell].chosen, USER);
	cr_assert_gt(beliefs[0][cell].samples[KERNEL], 0);
	learn_begin(&call, &range);
	cr_assert_eq(call.arm, STATS_ARM_USER);
	cr_assert_eq(call.start, 0, "timed at once");
	learn_end(&call, false);
}

/* Where another page size or another rule is, nothing is known. */
Test(learn, cells_are_apart)
{
	struct learn_range range = { .len = 64 << 10, .small = false,
				     .walk = LEARN_WALK };
	struct learn_call call;

	run(pattern_named("java, 64 KiB, all of it"), AUTO, 0, false,
	    &t_kernel_costs);
	kernel = t_kernel_map(&t_kernel_costs, 64 << 10, true);
	learn_begin(&call, &range);
	cr_assert_eq(call.arm, STATS_ARM_KERNEL);
	range.small = true;
	range.rule = 1;
	learn_begin(&call, &range);
	cr_assert_eq(call.arm, STATS_ARM_KERNEL);
}

Test(learn, lengths_have_a_cell_for_each_power_of_two)
{
	cr_assert_eq(learn_cell_number(PAGE, false), 0);
	cr_assert_eq(learn_cell_number(PAGE, true), 1);
	cr_assert_eq(learn_cell_number(2 * PAGE, false), 2);
	cr_assert_eq(learn_cell_number(3 * PAGE, false), 2);
	cr_assert_eq(learn_cell_number(4 * PAGE, false), 4);
	cr_assert_eq(learn_cell_number(UINT64_C(1) << 47, true),
		     STATS_CELLS - 1);
}

/* Syncs of len bytes that take so long by either way; how many were the kernel's. */
static size_t sync_times(uint64_t len, enum learn_walk how, int n,
			 const uint64_t cost[STATS_ARMS])
{
	const struct learn_range range = { .len = len, .small = true,
					   .walk = how };
	size_t by_kernel = 0;

	for (int i = 0; i < n; i++) {
		struct learn_call call;

		learn_begin(&call, &range);
		by_kernel += call.arm == STATS_ARM_KERNEL;
		t_kernel_work(kernel, cost[call.arm]);
		learn_end(&call, call.arm == STATS_ARM_KERNEL);
	}
	return by_kernel;
}

/* What is new is like what is beside it, until it is known itself. */
Test(learn, a_new_size_begins_as_its_neighbour_does)
{
	const uint64_t cost[] = { [STATS_ARM_KERNEL] = 50000,
				  [STATS_ARM_USER] = 3000 };

	kernel = t_kernel_map(&t_kernel_costs, 1 << 20, false);
	cr_assert_gt(sync_times(64 << 10, LEARN_WALK, 200, cost), 0);
	cr_assert_eq(sync_times(128 << 10, LEARN_WALK, 20, cost), 0);
	cr_assert_gt(sync_times(16 << 10, LEARN_WALK, 20, cost), 0);
}

/* eADR: there is nothing to walk, whatever the length. */
Test(learn, where_nothing_is_flushed_any_length_may_be_user_spaces)
{
	const uint64_t cost[] = { [STATS_ARM_KERNEL] = 2000,
				  [STATS_ARM_USER] = 300 };

	kernel = t_kernel_map(&t_kernel_costs, 1 << 20, false);
	sync_times(UINT64_C(10) << 30, LEARN_NO_WALK, 100, cost);
	cr_assert_eq(sync_times(UINT64_C(10) << 30, LEARN_NO_WALK, 12, cost), 0);
}

/* 1 ns a line, half of what was taken for the least. */
Test(learn, a_machine_that_flushes_faster_than_was_guessed)
{
	const uint64_t cost[] = { [STATS_ARM_KERNEL] = 34000,
				  [STATS_ARM_USER] = 16384 };
	const uint64_t dear[] = { [STATS_ARM_KERNEL] = 100000,
				  [STATS_ARM_USER] = 65536 };

	kernel = t_kernel_map(&t_kernel_costs, 1 << 20, false);
	sync_times(1 << 20, LEARN_WALK, 500, cost);
	sync_times(4 << 20, LEARN_WALK, 500, dear);
	cr_assert_eq(sync_times(4 << 20, LEARN_WALK, 12, dear), 0);
}

/* A call that is the kernel's by the contract cleans what a try would have to. */
Test(learn, a_forced_call_is_half_a_try)
{
	const size_t cell = learn_cell_number(64 << 10, true);
	const uint64_t cost[] = { [STATS_ARM_KERNEL] = 6000,
				  [STATS_ARM_USER] = 4000 };
	const struct learn_range range = { .len = 64 << 10, .small = true,
					   .walk = LEARN_WALK };
	struct learn_call call;
	uint64_t tries;

	kernel = t_kernel_map(&t_kernel_costs, 1 << 20, false);
	sync_times(range.len, LEARN_WALK, 5000, cost);
	cr_assert_eq(beliefs[0][cell].chosen, USER);
	do
		learn_begin(&call, &range);
	while (call.start || call.arm != STATS_ARM_USER);
	tries = beliefs[0][cell].tries;
	learn_end(&call, true);
	learn_begin(&call, &range);
	cr_assert_eq(call.arm, STATS_ARM_KERNEL);
	cr_assert_neq(call.start, 0, "not timed at once");
	cr_assert_eq(beliefs[0][cell].tries, tries + 1);
}

/* Whoever asks and is then served otherwise is counted there, once. */
Test(learn, asking_whether_it_goes_on_uses_nothing_up)
{
	const uint64_t cost[] = { [STATS_ARM_KERNEL] = 6000,
				  [STATS_ARM_USER] = 4000 };
	const struct learn_range range = { .len = 64 << 10, .small = true,
					   .walk = LEARN_WALK };
	struct learn_call call;
	int went = 0;

	kernel = t_kernel_map(&t_kernel_costs, 1 << 20, false);
	sync_times(range.len, LEARN_WALK, 5000, cost);
	do
		learn_begin(&call, &range);
	while (call.start || call.arm != STATS_ARM_USER);
	for (int i = 0; i < 1000; i++)
		cr_assert(learn_goes_on(&range));
	for (; learn_goes_on(&range); went++)
		learn_went_on(&range);
	cr_assert(went > 5 && went < 1000, "%d calls", went);
}

/* Mappings */

Test(learn, mappings_that_are_not_synced_again_do_not_pay)
{
	size_t made = 0;

	for (int i = 0; i < 200; i++)
		if (learn_mapping_pays(7)) {
			learn_mapped(7);
			made++;
		}
	cr_assert(made >= 16 && made <= 24, "%zu", made);
	cr_assert(learn_mapping_pays(8), "another rule");
}

Test(learn, mappings_that_are_synced_again_pay_and_begin_to_pay_again)
{
	for (int i = 0; i < 1000; i++) {
		cr_assert(learn_mapping_pays(7));
		learn_mapped(7);
		learn_paid(7);
	}
	while (learn_mapping_pays(7))
		learn_mapped(7);
	for (int i = 0; i < 100; i++)
		learn_paid(7);
	cr_assert(learn_mapping_pays(7));
}
