/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What pmemshim ab makes of runs and blocks: pairs, ratios, and a sentence
 * that claims no more than they do. Times are made up, so it is exact.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ab.h"
#include "cli/cli.h"
#include "shim/stats.h"

enum { RUNS = 10 };

static struct ab ab;
static struct stats_file_rule rule;
static struct stats_snapshot snapshot = {.header = {.nrules = 1},
					 .rules = &rule, .tick_ns = 1};
static struct estimate_random noise;

static void begin(void)
{
	estimate_seed(&noise, 1);
	ab.options.runs = RUNS;
	ab.options.seed = 1;
	for (int arm = 0; arm < AB_USUAL; arm++)
		ab.options.arms[arm] = true;
	ab.runs = cli_alloc((size_t)RUNS * AB_USUAL * sizeof(*ab.runs));
}

TestSuite(ab, .init = begin);

/* Within 1 % of it. */
static double about(double value)
{
	return value * (0.99 + 0.02 * (double)estimate_below(&noise, 1000) /
				       1000);
}

/* Walls in milliseconds of the arms; each round is slower than the last. */
static void add_rounds(double bare, double kernel, double flush)
{
	const double walls[AB_USUAL] = {bare, kernel, flush, flush};

	for (size_t round = 1; round <= RUNS; round++)
		for (int arm = 0; arm < AB_USUAL; arm++) {
			struct ab_run *run = &ab.runs[ab.nruns++];

			run->round = round;
			run->arm = (enum ab_arm)arm;
			run->wall = about(walls[arm] * 1e6) * (double)round;
			if (arm != AB_BARE)
				run->syncs[STATS_ARM_USER].calls = 10;
		}
}

static void add_block(uint64_t number, enum stats_arm arm, double sync,
		      double total)
{
	struct stats_file_block *block = &rule.blocks[number % STATS_BLOCKS];

	*block = (struct stats_file_block){
		.number = number + 1, .arm = arm, .calls = 16,
		.sync_ticks = (uint64_t)sync, .start = 1000,
		.end = 1000 + (uint64_t)total};
	rule.arms[arm].blocks++;
}

/* What a block of A takes, and a block of B; the order changes. */
static void add_blocks(double sync_a, double sync_b, double total_a,
		       double total_b)
{
	for (uint64_t i = 0; i < 200; i++) {
		enum stats_arm arm = (i + i / 2) % 2 ? STATS_ARM_USER :
						       STATS_ARM_KERNEL;
		bool a = arm == STATS_ARM_KERNEL;

		add_block(i, arm, about(a ? sync_a : sync_b),
			  about(a ? total_a : total_b));
	}
	ab_pairs_add(&ab.pairs, &snapshot, 0);
}

static void expect_verdict(const char *expected)
{
	ab_judge(&ab);
	cr_assert_str_eq(ab.verdict, expected);
}

Test(ab, neighbouring_blocks_of_both_arms_are_pairs)
{
	add_block(0, STATS_ARM_KERNEL, 3000, 6000);
	add_block(1, STATS_ARM_USER, 1000, 4000);
	add_block(2, STATS_ARM_USER, 1000, 2000);
	add_block(3, STATS_ARM_KERNEL, 4000, 8000);
	add_block(4, STATS_ARM_KERNEL, 4000, 8000);	/* its other is gone */
	add_block(7, STATS_ARM_USER, 4000, 8000);
	add_block(8, STATS_ARM_KERNEL, 1, 1);	/* no pair with 7 */
	ab_pairs_add(&ab.pairs, &snapshot, 5);
	cr_assert_eq(ab.pairs.n, 2);
	cr_assert_float_eq(exp(ab.pairs.sync[0]), 3, 1e-9);
	cr_assert_float_eq(exp(ab.pairs.sync[1]), 4, 1e-9);
	cr_assert_float_eq(exp(ab.pairs.total[0]), 1.5, 1e-9);
	cr_assert_float_eq(exp(ab.pairs.total[1]), 4, 1e-9);
	cr_assert_eq(ab.pairs.run[1], 5);
	cr_assert_eq(ab.pairs.kept, 7);
}

Test(ab, costs_are_by_call)
{
	add_block(0, STATS_ARM_KERNEL, 3000, 6000);
	add_block(1, STATS_ARM_USER, 1000, 4000);
	rule.blocks[1].calls = 8;
	ab_pairs_add(&ab.pairs, &snapshot, 0);
	cr_assert_float_eq(exp(ab.pairs.sync[0]), 1.5, 1e-9);
}

Test(ab, a_difference_everywhere)
{
	add_rounds(15, 13, 10);
	add_blocks(32000, 10000, 48000, 20000);
	expect_verdict("arm B is 3.18 to 3.21 times faster per sync (2.397 to 2.406 times with what follows until the next one); whole run 1.28 to 1.32 times; 10 runs each");
	cr_assert_float_eq(ab.ratios[AB_BARE_WALL].centre, 1.5, 0.02);
}

Test(ab, no_difference_anywhere)
{
	add_rounds(10, 10, 10);
	add_blocks(10000, 10000, 20000, 20000);
	ab_judge(&ab);
	cr_assert_not_null(strstr(ab.verdict, "no difference found per sync: 0.99"));
	cr_assert_not_null(strstr(ab.verdict, "whole run: no difference found, 0.9"));
	cr_assert_null(strstr(ab.verdict, "times"));
}

Test(ab, slower)
{
	add_rounds(10, 10, 12);
	add_blocks(10000, 20000, 20000, 30000);
	ab_judge(&ab);
	cr_assert_eq(strncmp(ab.verdict, "arm B is 1.998 to 2.007 times slower per sync (1.496 to 1.502", 60), 0, "%s", ab.verdict);
	cr_assert_not_null(strstr(ab.verdict, "whole run 1.18 to 1.22 times slower;"));
}

Test(ab, faster_in_msync_and_slower_with_what_follows)
{
	add_rounds(10, 10, 10);
	add_blocks(20000, 10000, 30000, 40000);
	ab_judge(&ab);
	cr_assert_not_null(strstr(ab.verdict, "times faster per sync (but 1.3"));
	cr_assert_not_null(strstr(ab.verdict, "times slower with what follows until the next one)"));
}

/* Copies may differ where syncs do not; then it takes a surer interval. */
Test(ab, the_whole_run_alone)
{
	add_rounds(10, 20, 10);
	add_blocks(10000, 10000, 20000, 20000);
	ab_judge(&ab);
	cr_assert_not_null(strstr(ab.verdict, "no difference found per sync"));
	cr_assert_not_null(strstr(ab.verdict, "whole run 1.9"));
	cr_assert_not_null(strstr(ab.verdict, "times faster;"));
}

/* Just beside 1: a claim on its own, none after one that was not made. */
Test(ab, a_bare_difference_after_none_is_undecided)
{
	add_rounds(10, 10.1, 10);
	ab_judge(&ab);
	cr_assert_gt(ab.ratios[AB_WALL].low, 1);
	cr_assert_not(ab.ratios[AB_WALL].sure);
	cr_assert_not_null(strstr(ab.verdict, "times faster"));
	add_blocks(10000, 10000, 20000, 20000);
	ab_judge(&ab);
	cr_assert_null(strstr(ab.verdict, "times faster"));
	cr_assert_not_null(strstr(ab.verdict, "whole run: undecided, 1.0"));
}

Test(ab, too_few)
{
	ab.options.runs = 3;
	add_rounds(10, 13, 10);
	ab.nruns = 3 * AB_USUAL;
	add_block(0, STATS_ARM_KERNEL, 3000, 6000);
	add_block(1, STATS_ARM_USER, 1000, 4000);
	ab_pairs_add(&ab.pairs, &snapshot, 0);
	expect_verdict("too few pairs of blocks for a claim per sync (1, of which 1 independent; more syncs, more runs or a smaller --block give more); too few runs for a claim on the whole run (3 of the 6 rounds that it takes); 3 runs each");
}

Test(ab, an_emulated_cpu_is_labelled)
{
	ab.environment.emulated = true;
	add_rounds(10, 13, 10);
	ab_judge(&ab);
	cr_assert_eq(strncmp(ab.verdict, "on an emulated CPU (QEMU TCG), whose times say nothing of a real one: ", 70), 0);
}

static void count_commits(enum ab_arm arm, uint64_t commits)
{
	rule.counters[STATS_PERSISTED] = 100;
	rule.counters[STATS_KERNEL_COMMIT] = commits;
	stats_total_add(&ab.totals[arm], &snapshot);
}

Test(ab, what_arm_a_leaves_to_arm_b_is_cautioned_of)
{
	add_rounds(10, 13, 10);
	count_commits(AB_FLUSH, 10);
	count_commits(AB_BOTH, 12);
	ab_judge(&ab);
	cr_assert_null(ab.caution);
	cr_assert_null(strstr(ab.verdict, "caution"));
	count_commits(AB_BOTH, 90);
	ab_judge(&ab);
	cr_assert_not_null(strstr(ab.verdict, "10 runs each; see the caution"));
	cr_assert_not_null(strstr(ab.caution, "before 51 % of B's persists, in runs of its own (flush) before 10 %;"));
}

/* --- No tracked syncs, and why ----------------------------------------- */

static void forget_syncs(void)
{
	for (size_t i = 0; i < ab.nruns; i++)
		ab.runs[i].syncs[STATS_ARM_USER].calls = 0;
}

static void expect_why(const char *why)
{
	char text[256];

	add_rounds(10, 10, 10);
	forget_syncs();
	ab_judge(&ab);
	snprintf(text, sizeof(text), "nothing to compare per sync: no msync reached a tracked mapping (%s); whole run: no difference found",
		 why);
	cr_assert_eq(strncmp(ab.verdict, text, strlen(text)), 0, "%s",
		     ab.verdict);
}

Test(ab, no_statistics)
{
	expect_why("no process loaded the library; see pmemshim check");
}

Test(ab, mappings_refused)
{
	rule.counters[STATS_REFUSED_NOT_DAX] = 3;
	rule.counters[STATS_REFUSED_KERNEL] = 1;
	stats_total_add(&ab.totals[AB_FLUSH], &snapshot);
	expect_why("3 mappings refused: not a DAX file, 1 mappings refused: the device gives no MAP_SYNC");
}

Test(ab, nothing_mapped)
{
	stats_total_add(&ab.totals[AB_FLUSH], &snapshot);
	expect_why("no file under a rule was mapped shared and writable");
}

Test(ab, mapped_but_never_synced)
{
	rule.counters[STATS_GRANTED] = 2;
	stats_total_add(&ab.totals[AB_FLUSH], &snapshot);
	expect_why("2 mappings were tracked, but none was synced by msync");
}

Test(ab, synced_but_asynchronously)
{
	rule.counters[STATS_GRANTED] = 2;
	rule.counters[STATS_NOTHING] = 5;
	stats_total_add(&ab.totals[AB_FLUSH], &snapshot);
	expect_why("5 msync with nothing to do (MS_ASYNC, no flag or no length)");
}

Test(ab, statistics_that_cannot_be_read)
{
	ab.unreadable = 1;
	strcpy(ab.unreadable_why, "truncated");
	expect_why("the statistics could not be read: truncated");
}

/* --- Texts ------------------------------------------------------------- */

static void expect_interval(double low, double high, const char *text)
{
	struct estimate ratio = {1, low, high, 10, 10, true, true};

	cr_expect_str_eq(ab_interval(&ratio), text);
}

Test(ab, intervals_are_rounded_outwards)
{
	expect_interval(3.14, 3.36, "3.1 to 3.4");
	expect_interval(0.974, 1.036, "0.97 to 1.04");
	expect_interval(12.4, 13.25, "12.4 to 13.3");
	expect_interval(124.3, 133.5, "124 to 134");
	expect_interval(1.2, 1.3, "1.2 to 1.3");
	expect_interval(1.991, 2.009, "1.99 to 2.01");
	expect_interval(0.5, 3.001, "0.5 to 3.1");
	expect_interval(0.0123, 0.0456, "0.01 to 0.05");
	expect_interval(0.0001, 0.5, "0.0001 to 0.5000");
	expect_interval(2, 2, "2.00 to 2.00");
	expect_interval(NAN, NAN, "too few");
}

/* What excludes 1 does so in the text too, and the other way round. */
Test(ab, no_interval_reaches_or_leaves_1_by_rounding)
{
	expect_interval(1.0004, 1.02, "1.0004 to 1.0200");
	expect_interval(0.97, 0.9996, "0.9700 to 0.9996");
	expect_interval(0.9996, 1.0004, "0.9996 to 1.0004");
	expect_interval(0.96, 1.0004, "0.96 to 1.01");
	expect_interval(1.004, 15, "1.004 to 15.000");
}

static char *rules_for(const char *rules, const char *mode, uint64_t block)
{
	const struct ab_way way = {mode, NULL, block};

	return ab_rules_for(rules, &way);
}

Test(ab, each_rule_gets_the_mode)
{
	cr_expect_str_eq(rules_for("auto", "kernel", 0), "auto,mode=kernel");
	cr_expect_str_eq(rules_for("/a,verify=no;/b", "flush", 0),
			 "/a,verify=no,mode=flush;/b,mode=flush");
	cr_expect_str_eq(rules_for("/a,mode=flush,copy=nt", "ab", 0),
			 "/a,copy=nt,mode=ab");
	cr_expect_str_eq(rules_for("auto;/a,mode=off", "ab", 0),
			 "auto,mode=ab;/a,mode=off");
	cr_expect_str_eq(rules_for("/a,block=3", "ab", 0),
			 "/a,block=3,mode=ab");
	cr_expect_str_eq(rules_for("/a,block=3", "ab", 8),
			 "/a,mode=ab,block=8");
	cr_expect_str_eq(rules_for("/a\\;b\\,mode=x,copy=nt;", "ab", 0),
			 "/a\\;b\\,mode=x,copy=nt,mode=ab;");
	cr_expect_str_eq(rules_for("mode=x", "ab", 0), "mode=x,mode=ab");
	cr_expect_str_eq(rules_for("", "ab", 0), "");
	cr_expect_str_eq(rules_for("/a\\", "ab", 0), "/a\\,mode=ab");
}

Test(ab, the_pages_of_an_arm_replace_those_of_the_rules)
{
	const struct ab_way small = {"kernel", "small", 0};

	cr_expect_str_eq(ab_rules_for("/a,pages=huge,copy=nt;/b", &small),
			 "/a,copy=nt,mode=kernel,pages=small;/b,mode=kernel,pages=small");
	cr_expect_str_eq(rules_for("/a,pages=huge", "flush", 0),
			 "/a,pages=huge,mode=flush");
}
