/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Do the intervals keep what they promise? Thousands of samples whose centre
 * is known, of noise as timings have it; all drawn from fixed seeds.
 */
#include <criterion/criterion.h>
#include <math.h>

#include "cli/estimate.h"

enum { LONGEST = 1000 };

static double uniform(struct estimate_random *random)
{
	return ((double)(estimate_draw(random) >> 11) + 0.5) / 0x1p53;
}

static double normal(struct estimate_random *random)
{
	double radius = sqrt(-2 * log(uniform(random)));

	return radius * cos(2 * M_PI * uniform(random));
}

/* One value in ten is far out. */
static double heavy(struct estimate_random *random)
{
	return normal(random) * (uniform(random) < 0.1 ? 20 : 1);
}

/* Two runs that take the same, each sometimes held up for as long again. */
static double held_up(struct estimate_random *random)
{
	double a = 1 + 0.02 * fabs(normal(random));
	double b = 1 + 0.02 * fabs(normal(random));

	a += uniform(random) < 0.1 ? 1 : 0;
	b += uniform(random) < 0.1 ? 1 : 0;
	return log(a / b);
}

/* What share of many intervals of n values about truth covers it. */
static double coverage(double (*noise)(struct estimate_random *), size_t n,
		       double truth)
{
	enum { TIMES = 400 };
	struct estimate_random random;
	struct estimate estimate;
	double values[LONGEST];
	int covered = 0;

	for (uint64_t seed = 0; seed < TIMES; seed++) {
		estimate_seed(&random, seed * 1000 + n);
		for (size_t i = 0; i < n; i++)
			values[i] = truth + noise(&random);
		estimate = estimate_independent(values, n, &random);
		cr_assert(estimate.enough);
		covered += estimate.low <= truth && truth <= estimate.high;
	}
	return (double)covered / TIMES;
}

/* With 400 samples 95 % comes out between 92.3 and 97.7 nearly always. */
#define COVERS(noise, n) \
	cr_expect_geq(coverage(noise, n, 0.25), 0.925, #noise ", " #n)

Test(estimate, intervals_of_six_values_cover_the_truth)
{
	COVERS(normal, 6);
	COVERS(heavy, 6);
	COVERS(held_up, 6);
}

Test(estimate, intervals_of_ten_values_cover_the_truth)
{
	COVERS(normal, 10);
	COVERS(heavy, 10);
	COVERS(held_up, 10);
}

Test(estimate, intervals_of_forty_values_cover_the_truth)
{
	COVERS(normal, 40);
	COVERS(heavy, 40);
	COVERS(held_up, 40);
}

/* Not so wide that everything is in them: of the normal, 10 % more at most. */
Test(estimate, intervals_are_no_wider_than_they_must_be)
{
	struct estimate_random random;
	struct estimate estimate;
	double values[100], width = 0;

	for (uint64_t seed = 0; seed < 200; seed++) {
		estimate_seed(&random, seed);
		for (size_t i = 0; i < 100; i++)
			values[i] = normal(&random);
		estimate = estimate_independent(values, 100, &random);
		width += (estimate.high - estimate.low) / 200;
	}
	cr_assert_lt(width, 1.20 * 2 * 1.96 / 10);
	cr_assert_gt(width, 0.95 * 2 * 1.96 / 10);
}

/*
 * Each value is like the one before by the share like; of that, the share
 * hidden is under noise that is not.
 */
struct kind {
	double like, outliers, hidden;
};

static void fill_series(double *values, size_t n, struct kind kind,
			struct estimate_random *random)
{
	double x = normal(random);

	for (size_t i = 0; i < n; i++) {
		x = kind.like * x +
		    sqrt(1 - kind.like * kind.like) * normal(random);
		values[i] = (1 - kind.hidden) * x +
			    kind.hidden * normal(random);
		if (uniform(random) < kind.outliers)
			values[i] += 20 * normal(random);
	}
}

struct outcome {
	double claims_wrongly;	/* share of all that is enough and beside 0 */
	double enough;
};

static struct outcome try_kind(size_t n, struct kind kind)
{
	enum { TIMES = 200 };
	static double values[LONGEST];
	static size_t run[LONGEST];
	struct outcome outcome = {0, 0};
	struct estimate_random random;
	struct estimate estimate;

	for (uint64_t seed = 0; seed < TIMES; seed++) {
		estimate_seed(&random, seed * 1000 + n);
		fill_series(values, n, kind, &random);
		estimate = estimate_series(values, run, n, &random);
		outcome.enough += estimate.enough / (double)TIMES;
		outcome.claims_wrongly +=
			(estimate.enough &&
			 (estimate.low > 0 || estimate.high < 0)) /
			(double)TIMES;
	}
	return outcome;
}

static struct outcome try_series(size_t n, double like, double outliers)
{
	return try_kind(n, (struct kind){like, outliers, 0});
}

Test(estimate, series_of_unlike_neighbours)
{
	struct outcome outcome = try_series(100, 0, 0);

	cr_expect_leq(outcome.claims_wrongly, 0.08);
	cr_expect_geq(outcome.enough, 0.98);
	cr_expect_leq(try_series(30, 0, 0.1).claims_wrongly, 0.08);
	cr_expect_leq(try_series(1000, 0, 0.1).claims_wrongly, 0.08);
}

Test(estimate, series_whose_neighbours_are_alike)
{
	struct outcome outcome = try_series(1000, 0.7, 0);

	cr_expect_leq(outcome.claims_wrongly, 0.08);
	cr_expect_geq(outcome.enough, 0.95);
	cr_expect_leq(try_series(300, 0.5, 0).claims_wrongly, 0.08);
	cr_expect_leq(try_series(1000, 0.9, 0).claims_wrongly, 0.08);
	cr_expect_leq(try_series(1000, 0.7, 0.1).claims_wrongly, 0.08);
}

/* Too short to be joined: the interval is widened. */
Test(estimate, short_series_whose_neighbours_are_alike)
{
	cr_expect_leq(try_series(31, 0.4, 0).claims_wrongly, 0.08);
	cr_expect_leq(try_series(31, 0.6, 0).claims_wrongly, 0.08);
}

/* Neighbours seem little alike, and yet many together are. */
Test(estimate, slow_changes_under_noise)
{
	struct kind slow = {.like = 0.85, .hidden = 0.6};

	cr_expect_leq(try_kind(128, slow).claims_wrongly, 0.10);
}

Test(estimate, a_short_series_of_very_like_neighbours_claims_nothing)
{
	struct outcome outcome = try_series(100, 0.9, 0);

	cr_expect_leq(outcome.enough, 0.25);
	cr_expect_leq(outcome.claims_wrongly, 0.08);
}

/* Each run is a little faster or slower as a whole, whatever the arm. */
Test(estimate, what_differs_from_run_to_run_is_in_the_interval)
{
	enum { RUNS = 8, EACH = 40, TIMES = 200 };
	double values[RUNS * EACH], of_run = 0;
	size_t run[RUNS * EACH];
	struct estimate_random random;
	struct estimate estimate;
	int covered = 0;

	for (uint64_t seed = 0; seed < TIMES; seed++) {
		estimate_seed(&random, seed);
		for (size_t i = 0; i < (size_t)RUNS * EACH; i++) {
			if (i % EACH == 0)
				of_run = normal(&random);
			run[i] = i / EACH;
			values[i] = of_run + 0.3 * normal(&random);
		}
		estimate = estimate_series(values, run, (size_t)RUNS * EACH,
					   &random);
		cr_assert(estimate.enough);
		covered += estimate.low <= 0 && 0 <= estimate.high;
	}
	cr_assert_geq(covered, TIMES * 92 / 100);
}

Test(estimate, a_difference_is_found)
{
	double values[10];
	struct estimate_random random;
	struct estimate ratio;

	estimate_seed(&random, 1);
	for (size_t i = 0; i < 10; i++)
		values[i] = log(1.2) + 0.01 * normal(&random);
	ratio = estimate_exp(estimate_independent(values, 10, &random));
	cr_assert_eq(estimate_sign(&ratio), ESTIMATE_ABOVE);
	cr_assert(ratio.sure);
	cr_assert(ratio.low > 1.18 && ratio.high < 1.22);
	for (size_t i = 0; i < 10; i++)
		values[i] = -values[i];
	ratio = estimate_exp(estimate_independent(values, 10, &random));
	cr_assert_eq(estimate_sign(&ratio), ESTIMATE_BELOW);
}

Test(estimate, the_same_seed_gives_the_same_interval)
{
	double values[] = {1, 2.1, 4.3, 7.7, 3.2, 9.9, 5.4, 1.6, 8.8, 2.5};
	struct estimate_random random;
	struct estimate first, second, other;

	estimate_seed(&random, 7);
	first = estimate_independent(values, 10, &random);
	estimate_seed(&random, 7);
	second = estimate_independent(values, 10, &random);
	estimate_seed(&random, 8);
	other = estimate_independent(values, 10, &random);
	cr_assert_eq(first.low, second.low);
	cr_assert_eq(first.high, second.high);
	cr_assert_neq(first.low, other.low);
	cr_assert_eq(first.centre, other.centre);
}

Test(estimate, few_values_allow_no_claim)
{
	double values[] = {2, 2.1, 2.2, 1.9, 2};
	struct estimate_random random;
	struct estimate estimate;

	estimate_seed(&random, 1);
	estimate = estimate_independent(values, 5, &random);
	cr_assert_not(estimate.enough);
	cr_assert(isnan(estimate.low) && isnan(estimate.high));
	cr_assert_float_eq(estimate.centre, 2.0333, 0.001);
	cr_assert_eq(estimate_sign(&estimate), ESTIMATE_UNKNOWN);
	estimate = estimate_independent(values, 0, &random);
	cr_assert(isnan(estimate.centre));
	cr_assert_eq(estimate.n, 0);
	estimate = estimate_series(NULL, NULL, 0, &random);
	cr_assert_eq(estimate.n, 0);
}

Test(estimate, equal_values_have_an_interval_of_no_width)
{
	double values[] = {3, 3, 3, 3, 3, 3, 3};
	struct estimate_random random;
	struct estimate estimate;

	estimate_seed(&random, 1);
	estimate = estimate_independent(values, 7, &random);
	cr_assert_eq(estimate.low, 3);
	cr_assert_eq(estimate.high, 3);
}

Test(estimate, one_value_far_out_does_not_move_the_centre)
{
	double values[] = {1, 1.1, 0.9, 1, 1.05, 0.95, 1, 1.02, 0.98, 1000};
	struct estimate_random random;
	struct estimate estimate;

	estimate_seed(&random, 1);
	estimate = estimate_independent(values, 10, &random);
	cr_assert_float_eq(estimate.centre, 1, 0.02);
	cr_assert_lt(estimate.high, 1.2);
}

Test(estimate, quantiles_lie_between_neighbours)
{
	double values[] = {4, 1, 3, 2};

	cr_assert_eq(estimate_median(values, 4), 2.5);
	cr_assert_eq(estimate_quantile(values, 4, 0), 1);
	cr_assert_eq(estimate_quantile(values, 4, 1), 4);
	cr_assert(isnan(estimate_median(values, 0)));
}

Test(estimate, draws_are_even)
{
	struct estimate_random random;
	int hits[7] = {0};

	estimate_seed(&random, 0);
	for (int i = 0; i < 70000; i++)
		hits[estimate_below(&random, 7)]++;
	for (int i = 0; i < 7; i++)
		cr_assert(hits[i] > 9500 && hits[i] < 10500, "%d", hits[i]);
}
