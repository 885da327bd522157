/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * estimate.c: trimmed means and their intervals, see estimate.h.
 *
 * The interval: with centre T and standard error S of the sample, and T', S' of
 * a resample, the 95th percentile c of |T' - T| / S' gives T - c S to T + c S
 * (Efron and Tibshirani, An Introduction to the Bootstrap, 12.5; for trimmed
 * means: Wilcox, Introduction to Robust Estimation, 4.4).
 */
#include "cli/estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* --- Random numbers ---------------------------------------------------- */

static uint64_t rotate(uint64_t x, unsigned int by)
{
	return (x << by) | (x >> (64 - by));
}

void estimate_seed(struct estimate_random *random, uint64_t seed)
{
	uint64_t z;

	/* splitmix64: neighbouring seeds give unlike states, none all zero. */
	for (size_t i = 0; i < 4; i++) {
		seed += UINT64_C(0x9e3779b97f4a7c15);
		z = seed;
		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		random->state[i] = z ^ (z >> 31);
	}
}

uint64_t estimate_draw(struct estimate_random *random)
{
	uint64_t *s = random->state;
	uint64_t result = rotate(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

size_t estimate_below(struct estimate_random *random, size_t n)
{
	/* The bias is n in 2^32: below what any of this resolves. */
	return (size_t)(((estimate_draw(random) >> 32) * n) >> 32);
}

/* --- One sample -------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double *sorted_copy(const double *values, size_t n)
{
	double *copy = cli_alloc(n * sizeof(*copy) + 1);

	memcpy(copy, values, n * sizeof(*copy));
	qsort(copy, n, sizeof(*copy), by_value);
	return copy;
}

double estimate_quantile(const double *values, size_t n, double q)
{
	double *sorted, at, value;
	size_t i;

	if (n == 0)
		return NAN;
	sorted = sorted_copy(values, n);
	at = q * (double)(n - 1);
	i = (size_t)at;
	value = sorted[i];
	if (i + 1 < n)
		value += (at - (double)i) * (sorted[i + 1] - sorted[i]);
	free(sorted);
	return value;
}

double estimate_median(const double *values, size_t n)
{
	return estimate_quantile(values, n, 0.5);
}

struct centre {
	double mean;  /* of what is left after trimming */
	double error; /* its standard error */
};

static size_t trimmed(size_t n)
{
	return n / 5;
}

/* By the winsorised variance (Tukey and McLaughlin). sorted is overwritten. */
static struct centre centre_of_sorted(double *sorted, size_t n)
{
	size_t cut = trimmed(n), kept = n - 2 * cut;
	double sum = 0, mean = 0, squares = 0;

	for (size_t i = cut; i < n - cut; i++)
		sum += sorted[i];
	for (size_t i = 0; i < cut; i++) {
		sorted[i] = sorted[cut];
		sorted[n - 1 - i] = sorted[n - 1 - cut];
	}
	for (size_t i = 0; i < n; i++)
		mean += sorted[i] / (double)n;
	for (size_t i = 0; i < n; i++)
		squares += (sorted[i] - mean) * (sorted[i] - mean);
	return (struct centre){
	    .mean = sum / (double)kept,
	    .error = kept > 1
			 ? sqrt(squares / (double)kept / (double)(kept - 1))
			 : 0,
	};
}

static struct centre centre_of(const double *values, size_t n)
{
	double *sorted = sorted_copy(values, n);
	struct centre centre = centre_of_sorted(sorted, n);

	free(sorted);
	return centre;
}

/* --- The bootstrap ----------------------------------------------------- */

enum { RESAMPLES = 3999 };

static void resample(const double *sorted, size_t n, double *out,
		     unsigned int *times, struct estimate_random *random)
{
	size_t k = 0;

	/* Counting instead of sorting: the values are in order already. */
	memset(times, 0, n * sizeof(*times));
	for (size_t i = 0; i < n; i++)
		times[estimate_below(random, n)]++;
	for (size_t i = 0; i < n; i++)
		for (; times[i] > 0; times[i]--)
			out[k++] = sorted[i];
}

/* How many standard errors the intervals reach to either side. */
struct reach {
	double usual, sure;
};

static struct reach reach(const double *sorted, size_t n, double mean,
			  struct estimate_random *random)
{
	double *deviations = cli_alloc(RESAMPLES * sizeof(*deviations));
	double *sample = cli_alloc(n * sizeof(*sample));
	unsigned int *times = cli_alloc(n * sizeof(*times));
	struct centre centre;
	struct reach result;

	for (size_t i = 0; i < RESAMPLES; i++) {
		resample(sorted, n, sample, times, random);
		centre = centre_of_sorted(sample, n);
		/* All of a resample may be one value: as far off as can be. */
		deviations[i] = centre.error > 0
				    ? fabs(centre.mean - mean) / centre.error
				    : HUGE_VAL;
		if (centre.error <= 0 && centre.mean == mean)
			deviations[i] = 0;
	}
	qsort(deviations, RESAMPLES, sizeof(*deviations), by_value);
	result.usual = deviations[(RESAMPLES + 1) * 950 / 1000 - 1];
	result.sure = deviations[(RESAMPLES + 1) * 995 / 1000 - 1];
	free(times);
	free(sample);
	free(deviations);
	return result;
}

/* widen: the standard error is so many times what the values suggest. */
static struct estimate interval(const double *values, size_t n, double widen,
				struct estimate_random *random)
{
	struct estimate estimate = {NAN, NAN, NAN, n, n, false, false};
	struct reach reaches = {0, 0};
	struct centre centre;
	double *sorted, error;

	if (n == 0)
		return estimate;
	centre = centre_of(values, n);
	error = centre.error * widen;
	estimate.centre = centre.mean;
	if (n < ESTIMATE_MIN)
		return estimate;
	sorted = sorted_copy(values, n);
	if (error > 0)
		reaches = reach(sorted, n, centre.mean, random);
	free(sorted);
	if (!isfinite(reaches.usual))
		return estimate;
	estimate.low = centre.mean - reaches.usual * error;
	estimate.high = centre.mean + reaches.usual * error;
	estimate.enough = true;
	estimate.sure = fabs(centre.mean) > reaches.sure * error;
	return estimate;
}

struct estimate estimate_independent(const double *values, size_t n,
				     struct estimate_random *random)
{
	return interval(values, n, 1, random);
}

/* --- Series ------------------------------------------------------------ */

/* A series in groups of neighbours, each by its trimmed mean. */
struct groups {
	double *centre;
	size_t *run;
	size_t n;
};

static size_t run_end(const size_t *run, size_t n, size_t i)
{
	size_t first = i;

	while (i < n && run[i] == run[first])
		i++;
	return i;
}

/*
 * Groups of len values. What is left over at the end of a run is spread over
 * the run's groups; a run shorter than len is one group.
 */
static void group(const double *values, const size_t *run, size_t n, size_t len,
		  struct groups *groups)
{
	size_t end, count, from, to;

	groups->n = 0;
	for (size_t start = 0; start < n; start = end) {
		end = run_end(run, n, start);
		count = (end - start) / len;
		if (count == 0)
			count = 1;
		for (size_t i = 0; i < count; i++) {
			from = start + (end - start) * i / count;
			to = start + (end - start) * (i + 1) / count;
			groups->run[groups->n] = run[start];
			groups->centre[groups->n++] =
			    centre_of(values + from, to - from).mean;
		}
	}
}

/*
 * How alike neighbours of a run are, from -1 to 1. Values far out are drawn
 * in first: one of them would hide all the others.
 */
static double likeness(const struct groups *groups)
{
	double low = estimate_quantile(groups->centre, groups->n, 0.1);
	double high = estimate_quantile(groups->centre, groups->n, 0.9);
	double mean = 0, squares = 0, products = 0, last = 0, x;

	for (size_t i = 0; i < groups->n; i++)
		mean += fmin(fmax(groups->centre[i], low), high) /
			(double)groups->n;
	for (size_t i = 0; i < groups->n; i++) {
		x = fmin(fmax(groups->centre[i], low), high) - mean;
		squares += x * x;
		if (i > 0 && groups->run[i] == groups->run[i - 1])
			products += x * last;
		last = x;
	}
	x = squares > 0 ? products / squares : 0;
	/* Of few values it comes out too small (Kendall, Biometrika 41, 1954).
	 */
	return x + (1 + 4 * x) / (double)groups->n;
}

static size_t count_runs(const size_t *run, size_t n)
{
	size_t runs = 0;

	for (size_t i = 0; i < n; i = run_end(run, n, i))
		runs++;
	return runs;
}

/* More groups than this cost time and add nothing. */
enum { GROUPS_MOST = 128 };

static const double alike = 0.1;     /* little enough */
static const double too_alike = 0.5; /* too much to make up for */

/* Longer groups until neighbours are no longer alike. Returns what is left. */
static double find_groups(const double *values, const size_t *run, size_t n,
			  struct groups *groups)
{
	size_t len = (n + GROUPS_MOST - 1) / GROUPS_MOST;
	double left;

	for (;; len *= 2) {
		group(values, run, n, len, groups);
		left = likeness(groups);
		if (left <= alike ||
		    groups->n < (size_t)2 * ESTIMATE_MIN_SERIES)
			return fmax(left, 0);
	}
}

struct estimate estimate_series(const double *values, const size_t *run,
				size_t n, struct estimate_random *random)
{
	struct estimate estimate = {NAN, NAN, NAN, n, 0, false, false};
	struct groups groups;
	double left = 0;
	bool single;

	if (n == 0)
		return estimate;
	single = count_runs(run, n) < ESTIMATE_MIN;
	groups.centre = cli_alloc(n * sizeof(*groups.centre));
	groups.run = cli_alloc(n * sizeof(*groups.run));
	if (single)
		left = fmin(find_groups(values, run, n, &groups), 0.9);
	else
		group(values, run, n, n, &groups);
	estimate = interval(groups.centre, groups.n,
			    sqrt((1 + left) / (1 - left)), random);
	estimate.n = n;
	if (single && (groups.n < ESTIMATE_MIN_SERIES || left > too_alike))
		estimate.enough = estimate.sure = false;
	free(groups.run);
	free(groups.centre);
	return estimate;
}

/* --- Ratios ------------------------------------------------------------ */

struct estimate estimate_exp(struct estimate logs)
{
	logs.centre = exp(logs.centre);
	logs.low = exp(logs.low);
	logs.high = exp(logs.high);
	return logs;
}

enum estimate_sign estimate_sign(const struct estimate *ratio)
{
	if (!ratio->enough)
		return ESTIMATE_UNKNOWN;
	if (ratio->low > 1)
		return ESTIMATE_ABOVE;
	if (ratio->high < 1)
		return ESTIMATE_BELOW;
	return ESTIMATE_SAME;
}
