/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ab_judge.c: ratios of what was measured, and the sentence they allow.
 *
 * Design: a round's runs are a pair, and so are two neighbouring blocks of
 * mode=ab, one of each arm in random order: what changes slowly is the same in
 * both and falls out of the ratio. The claims are made in an order, each only
 * if the one before it was made or a 99.5 % interval says so too; so with no
 * difference at all the chance of any false claim stays near 5 %, whatever
 * the number of intervals.
 */
#include "cli/ab.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "shim/stats.h"

const char *const ab_arm_names[AB_ARMS] = {
	[AB_BARE] = "bare",
	[AB_KERNEL] = "kernel",
	[AB_FLUSH] = "flush",
	[AB_BOTH] = "ab",
	[AB_KERNEL_SMALL] = "kernel/small",
	[AB_KERNEL_HUGE] = "kernel/huge",
	[AB_FLUSH_SMALL] = "flush/small",
	[AB_FLUSH_HUGE] = "flush/huge",
	[AB_AUTO] = "auto",
};

bool ab_any_shim_arm(const struct ab_options *options)
{
	for (int arm = AB_BARE + 1; arm < AB_ARMS; arm++)
		if (options->arms[arm])
			return true;
	return false;
}

const char *const ab_comparison_names[AB_COMPARISONS] = {
	[AB_SYNC] = "time in msync",
	[AB_TOTAL] = "with what follows it",
	[AB_WALL] = "wall time of the run",
	[AB_USER] = "user time of the run",
	[AB_SYSTEM] = "system time of the run",
	[AB_BARE_WALL] = "wall time of the run",
	[AB_AUTO_WALL] = "wall time of the run",
};

const char *const ab_comparison_of[AB_COMPARISONS] = {
	[AB_SYNC] = "A / B",
	[AB_TOTAL] = "A / B",
	[AB_WALL] = "kernel / flush",
	[AB_USER] = "kernel / flush",
	[AB_SYSTEM] = "kernel / flush",
	[AB_BARE_WALL] = "bare / flush",
	[AB_AUTO_WALL] = "bare / auto",
};

/* --- Numbers of runs --------------------------------------------------- */

double ab_wall(const struct ab_run *run)
{
	return run->wall;
}

double ab_user(const struct ab_run *run)
{
	return run->user;
}

double ab_system(const struct ab_run *run)
{
	return run->system;
}

double ab_faults(const struct ab_run *run)
{
	return (double)run->faults;
}

double ab_msyncs(const struct ab_run *run)
{
	return (double)(run->syncs[STATS_ARM_KERNEL].calls +
			run->syncs[STATS_ARM_USER].calls);
}

double ab_kernel_msyncs(const struct ab_run *run)
{
	double sum = 0;

	for (int i = STATS_KERNEL_FIRST; i <= STATS_KERNEL_OVERTAKEN; i++)
		sum += (double)run->counters[i];
	return sum;
}

double ab_flushed(const struct ab_run *run)
{
	return (double)run->counters[STATS_FLUSHED];
}

size_t ab_arm_runs(const struct ab *ab, enum ab_arm arm)
{
	size_t n = 0;

	for (size_t i = 0; i < ab->nruns; i++)
		n += ab->runs[i].arm == arm;
	return n;
}

double ab_median(const struct ab *ab, enum ab_arm arm,
		 double (*of)(const struct ab_run *run))
{
	double *values = cli_alloc(ab->nruns * sizeof(*values));
	double median;
	size_t n = 0;

	for (size_t i = 0; i < ab->nruns; i++)
		if (ab->runs[i].arm == arm)
			values[n++] = of(&ab->runs[i]);
	median = estimate_median(values, n);
	free(values);
	return median;
}

/* --- Pairs of blocks --------------------------------------------------- */

static void add_pair(struct ab_pairs *pairs, const struct stats_block *a,
		     const struct stats_block *b, size_t run)
{
	const double calls = (double)b->calls / (double)a->calls;
	const size_t n = pairs->n, size = n + 1;

	if (!(a->sync_ns > 0 && b->sync_ns > 0))
		return;
	/* Room for powers of two. */
	if ((n & (n - 1)) == 0) {
		const size_t room = n ? 2 * n : 1;

		pairs->sync = cli_realloc(pairs->sync, room * sizeof(double));
		pairs->total = cli_realloc(pairs->total, room * sizeof(double));
		pairs->run = cli_realloc(pairs->run, room * sizeof(size_t));
	}
	pairs->sync[n] = log(a->sync_ns / b->sync_ns * calls);
	pairs->total[n] = log(a->total_ns / b->total_ns * calls);
	pairs->run[n] = run;
	pairs->n = size;
}

/* The shim draws which of blocks 2 i and 2 i + 1 is of which arm. */
static void add_rule(struct ab_pairs *pairs, const struct stats_block *blocks,
		     size_t n, size_t run)
{
	for (size_t i = 0; i + 1 < n; i++) {
		const struct stats_block *a = &blocks[i], *b = &blocks[i + 1];

		if (a->number % 2 != 0 || b->number != a->number + 1 ||
		    a->arm == b->arm)
			continue;
		if (a->arm == STATS_ARM_KERNEL)
			add_pair(pairs, a, b, run);
		else
			add_pair(pairs, b, a, run);
	}
}

void ab_pairs_add(struct ab_pairs *pairs, const struct stats_snapshot *snapshot,
		  size_t run)
{
	struct stats_block *blocks = cli_alloc(STATS_BLOCKS * sizeof(*blocks));
	const struct stats_file_rule *rule;
	size_t n;

	for (size_t i = 0; i < snapshot->header.nrules; i++) {
		rule = &snapshot->rules[i];
		n = stats_blocks(snapshot, i, blocks);
		pairs->kept += n;
		for (size_t arm = 0; arm < STATS_ARMS; arm++)
			pairs->blocks += rule->arms[arm].blocks;
		add_rule(pairs, blocks, n, run);
	}
	free(blocks);
}

/* --- Ratios ------------------------------------------------------------ */

static const struct ab_run *find_run(const struct ab *ab, size_t round,
				     enum ab_arm arm)
{
	for (size_t i = 0; i < ab->nruns; i++)
		if (ab->runs[i].round == round && ab->runs[i].arm == arm)
			return &ab->runs[i];
	return NULL;
}

/* Round by round; nothing when a run took no time that could be measured. */
static struct estimate ratio_of_runs(const struct ab *ab, enum ab_arm above,
				     enum ab_arm below,
				     double (*of)(const struct ab_run *run),
				     struct estimate_random *random)
{
	double *logs = cli_alloc(ab->nruns * sizeof(*logs));
	const struct ab_run *a, *b;
	struct estimate estimate = {.n = 0};
	size_t n = 0;

	for (size_t round = 1; round <= ab->options.runs; round++) {
		a = find_run(ab, round, above);
		b = find_run(ab, round, below);
		if (a && b && of(a) > 0 && of(b) > 0)
			logs[n++] = log(of(a) / of(b));
	}
	if (n == ab->options.runs)
		estimate = estimate_exp(estimate_independent(logs, n, random));
	free(logs);
	return estimate;
}

static void make_ratios(struct ab *ab)
{
	struct ab_pairs *pairs = &ab->pairs;
	struct estimate *ratios = ab->ratios;
	struct estimate_random random;

	estimate_seed(&random, ab->options.seed);
	ratios[AB_SYNC] = estimate_exp(
	    estimate_series(pairs->sync, pairs->run, pairs->n, &random));
	ratios[AB_TOTAL] = estimate_exp(
	    estimate_series(pairs->total, pairs->run, pairs->n, &random));
	ratios[AB_WALL] =
	    ratio_of_runs(ab, AB_KERNEL, AB_FLUSH, ab_wall, &random);
	ratios[AB_USER] =
	    ratio_of_runs(ab, AB_KERNEL, AB_FLUSH, ab_user, &random);
	ratios[AB_SYSTEM] =
	    ratio_of_runs(ab, AB_KERNEL, AB_FLUSH, ab_system, &random);
	ratios[AB_BARE_WALL] =
	    ratio_of_runs(ab, AB_BARE, AB_FLUSH, ab_wall, &random);
	ratios[AB_AUTO_WALL] =
	    ratio_of_runs(ab, AB_BARE, AB_AUTO, ab_wall, &random);
}

/* --- Words ------------------------------------------------------------- */

/* Digits behind the point that show the ends of an interval apart. */
static int digits_for(double low, double high)
{
	int digits = high > low ? (int)ceil(-log10(high - low) - 1e-9) : 2;

	if (low < 10 && digits < 1)
		digits = 1;
	return digits < 0 ? 0 : digits > 6 ? 6 : digits;
}

/*
 * Outwards, so that the text claims no more than the numbers; with as many
 * digits as keep 1 out of an interval that excludes it, and 0 out of any.
 */
static char *interval_text(double low, double high)
{
	const bool excludes = low > 1 || high < 1;
	int digits = digits_for(low, high);
	double unit, from, to;

	for (;; digits++) {
		unit = pow(10, digits);
		from = floor(low * unit + 1e-9) / unit;
		to = ceil(high * unit - 1e-9) / unit;
		if (digits >= 6 ||
		    (from > 0 && (!excludes || from > 1 || to < 1)))
			return cli_format("%.*f to %.*f", digits, from, digits,
					  to);
	}
}

char *ab_interval(const struct estimate *ratio)
{
	if (isnan(ratio->low) || isnan(ratio->high))
		return cli_strdup("too few");
	return interval_text(ratio->low, ratio->high);
}

/* "1.2 to 1.3 times WORD", from either side of 1. */
static char *times_text(const struct estimate *ratio, const char *faster,
			const char *slower)
{
	const bool below = ratio->high < 1;
	char *range = below ? interval_text(1 / ratio->high, 1 / ratio->low)
			    : interval_text(ratio->low, ratio->high);
	char *text = cli_format("%s times%s", range, below ? slower : faster);

	free(range);
	return text;
}

/*
 * What may be said of a ratio, after *open: every claim before was made.
 */
static enum estimate_sign claim(const struct estimate *ratio, bool *open)
{
	enum estimate_sign sign = estimate_sign(ratio);

	if (sign != ESTIMATE_SAME && sign != ESTIMATE_UNKNOWN && !*open &&
	    !ratio->sure)
		sign = ESTIMATE_SAME;
	if (sign == ESTIMATE_SAME || sign == ESTIMATE_UNKNOWN)
		*open = false;
	return sign;
}

/* Where nothing is claimed: was it that 1 is inside, or the order? */
static const char *nothing_found(const struct estimate *ratio)
{
	return estimate_sign(ratio) == ESTIMATE_SAME ? "no difference found"
						     : "undecided";
}

/* --- Why there is nothing to compare ----------------------------------- */

static uint64_t counted(const struct ab *ab, enum stats_counter counter)
{
	uint64_t sum = 0;

	for (int arm = 0; arm < AB_ARMS; arm++)
		sum += stats_total_counter(&ab->totals[arm], counter);
	return sum;
}

static uint64_t tracked_syncs(const struct ab *ab)
{
	double sum = 0;

	for (size_t i = 0; i < ab->nruns; i++)
		sum += ab_msyncs(&ab->runs[i]);
	return (uint64_t)sum;
}

/* "3 mappings refused: not a DAX file, ..." of counters that are not 0. */
static char *list_counters(const struct ab *ab, enum stats_counter first,
			   enum stats_counter last)
{
	char *list = cli_strdup(""), *longer;
	uint64_t n;

	for (int i = (int)first; i <= (int)last; i++) {
		n = counted(ab, (enum stats_counter)i);
		if (n == 0)
			continue;
		longer =
		    cli_format("%s%s%" PRIu64 " %s", list, *list ? ", " : "", n,
			       stats_text((enum stats_counter)i));
		free(list);
		list = longer;
	}
	return list;
}

static char *why_no_syncs(const struct ab *ab)
{
	uint64_t tracked = counted(ab, STATS_GRANTED) +
			   counted(ab, STATS_GRANTED_DEVICE) +
			   counted(ab, STATS_ASSUMED);
	size_t files = 0;
	char *list;

	for (int arm = 0; arm < AB_ARMS; arm++)
		files += ab->totals[arm].files;
	if (files == 0 && ab->unreadable)
		return cli_format("the statistics could not be read: %s",
				  ab->unreadable_why);
	if (files == 0)
		return cli_strdup(
		    "no process loaded the library; see pmemshim check");
	if (tracked > 0) {
		list = list_counters(ab, STATS_NOTHING, STATS_INVALID);
		if (*list)
			return list;
		free(list);
		return cli_format(
		    "%" PRIu64
		    " mappings were tracked, but none was synced by msync",
		    tracked);
	}
	list = list_counters(ab, STATS_REFUSED_NOT_DAX, STATS_REFUSED_ROOM);
	if (*list)
		return list;
	free(list);
	return cli_strdup(
		"no file under a rule was mapped shared and writable");
}

/* --- The sentence ------------------------------------------------------ */

static char *joined(char *first, const char *between, char *second)
{
	char *text = cli_format("%s%s%s", first, between, second);

	free(first);
	free(second);
	return text;
}

static char *total_text(const struct estimate *total, enum estimate_sign sync,
			bool *open)
{
	enum estimate_sign sign = claim(total, open);
	char *range = ab_interval(total), *text;

	if (sign == ESTIMATE_UNKNOWN)
		text = cli_strdup("");
	else if (sign == ESTIMATE_SAME)
		text = cli_format(
		    " (with what follows until the next one: %s, %s)",
		    nothing_found(total), range);
	else if (sign == sync)
		text = joined(cli_strdup(" ("), "", times_text(total, "", ""));
	else
		text = joined(cli_strdup(" (but "), "",
			      times_text(total, " faster", " slower"));
	if (sign == ESTIMATE_ABOVE || sign == ESTIMATE_BELOW)
		text = joined(text, " with what follows until the next one)",
			      cli_strdup(""));
	free(range);
	return text;
}

static char *sync_text(const struct ab *ab, enum estimate_sign *sign,
		       bool *open)
{
	const struct estimate *sync = &ab->ratios[AB_SYNC];
	char *range = ab_interval(sync), *text;

	*sign = claim(sync, open);
	if (*sign == ESTIMATE_UNKNOWN)
		text = cli_format(
		    "too few pairs of blocks for a claim per sync (%zu, of which %zu independent; more syncs, more runs or a smaller --block give more)",
		    sync->n, sync->groups);
	else if (*sign == ESTIMATE_SAME)
		text = cli_format("no difference found per sync: %s", range);
	else
		text = joined(
		    cli_strdup("arm B is "), "",
		    times_text(sync, " faster per sync", " slower per sync"));
	if (*sign != ESTIMATE_UNKNOWN)
		text = joined(text, "",
			      total_text(&ab->ratios[AB_TOTAL], *sign, open));
	free(range);
	return text;
}

static char *whole_text(const struct estimate *wall, const char *than,
			enum estimate_sign before, bool *open)
{
	enum estimate_sign sign = claim(wall, open);
	const bool plain = sign == before && sign == ESTIMATE_ABOVE;
	char *range = ab_interval(wall), *text;

	if (sign == ESTIMATE_UNKNOWN)
		text = cli_format(
		    "too few runs for a claim on the whole run (%zu of the %d rounds that it takes)",
		    wall->n, ESTIMATE_MIN);
	else if (sign == ESTIMATE_SAME)
		text = cli_format("whole run%s: %s, %s", than,
				  nothing_found(wall), range);
	else
		text =
		    joined(cli_format("whole run%s ", than), "",
			   times_text(wall, plain ? "" : " faster", " slower"));
	free(range);
	return text;
}

/* What is said of the syncs; with *sign unknown where nothing is claimed. */
static char *syncs_part(const struct ab *ab, enum estimate_sign *sign,
			bool *open)
{
	char *why;

	*sign = ESTIMATE_UNKNOWN;
	if (tracked_syncs(ab) == 0) {
		why = why_no_syncs(ab);
		return joined(
		    cli_strdup(
			"nothing to compare per sync: no msync reached a tracked mapping ("),
		    "", joined(why, ")", cli_strdup("")));
	}
	if (!ab->options.arms[AB_BOTH])
		return NULL;
	return sync_text(ab, sign, open);
}

static char *verdict(const struct ab *ab)
{
	const struct estimate *wall = &ab->ratios[AB_WALL];
	const struct estimate *bare = &ab->ratios[AB_BARE_WALL];
	const struct estimate *learned = &ab->ratios[AB_AUTO_WALL];
	enum estimate_sign sign = ESTIMATE_UNKNOWN;
	bool open = true;
	char *text = ab_any_shim_arm(&ab->options) ? syncs_part(ab, &sign, &open) : NULL;
	char *whole = NULL;

	/* What could not be asked does not stand before the rest. */
	if (sign == ESTIMATE_UNKNOWN)
		open = true;
	if (wall->n > 0)
		whole = whole_text(wall, text ? "" : " of arm B", sign, &open);
	else if (bare->n > 0)
		whole =
		    whole_text(bare, " of arm B against no shim", sign, &open);
	else if (learned->n > 0)
		whole = whole_text(learned, " of mode=auto against no shim",
				   sign, &open);
	if (text && whole)
		text = joined(text, "; ", whole);
	else if (whole)
		text = whole;
	else if (!text)
		text = cli_strdup("nothing to compare: one arm alone");
	text = joined(text, "",
		      cli_format("; %" PRIu64 " run%s each", ab->options.runs,
				 ab->options.runs == 1 ? "" : "s"));
	if (ab->environment.emulated)
		text = joined(
		    cli_strdup(
			"on an emulated CPU (QEMU TCG), whose times say nothing of a real one: "),
		    "", text);
	return text;
}

/*
 * The share of the persists of an arm before which metadata had to be
 * committed; below 0: there were none.
 */
static double commits(const struct ab *ab, enum ab_arm arm)
{
	const struct stats_total *total = &ab->totals[arm];
	uint64_t all = stats_total_counter(total, STATS_PERSISTED);

	if (all == 0)
		return -1;
	return (double)stats_total_counter(total, STATS_KERNEL_COMMIT) /
	       (double)all;
}

/*
 * A's msync takes write access from pages; a store into one of them in a later
 * block of B faults and moves the file's ctime, which B then has committed.
 * That cost is A's, but falls on B, and no pairing takes it out.
 */
static char *caution(const struct ab *ab)
{
	double mixed = commits(ab, AB_BOTH), alone = commits(ab, AB_FLUSH);

	if (mixed < 0 || alone < 0 || mixed < alone + 0.1)
		return NULL;
	return cli_format(
		"in the ab arm, A's msync reaches into the blocks of B: metadata had to be committed before %.0f %% of B's persists, in runs of its own (flush) before %.0f %%; so B is better than the ratios per sync say, and whole runs are the better measure",
	    mixed * 100, alone * 100);
}

void ab_judge(struct ab *ab)
{
	make_ratios(ab);
	ab->verdict = verdict(ab);
	ab->caution = caution(ab);
	if (ab->caution)
		ab->verdict = joined(ab->verdict, "; see the caution",
				     cli_strdup(""));
}
