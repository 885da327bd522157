/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * estimate.h: what a sample of timings says, and how sure it is of it.
 *
 * Design: the centre is the 20 % trimmed mean, which a few interrupted runs
 * do not move; the interval is a studentised bootstrap (percentile-t), which
 * keeps its 95 % with ten values where the plain percentile bootstrap and the
 * median do not. Ratios are estimated as differences of logarithms, pair by
 * pair. All is a function of the values and the seed.
 */
#ifndef PMEMSHIM_ESTIMATE_H
#define PMEMSHIM_ESTIMATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Random numbers, the same for a seed on every machine (xoshiro256**). */
struct estimate_random {
	uint64_t state[4];
};

void estimate_seed(struct estimate_random *random, uint64_t seed);
uint64_t estimate_draw(struct estimate_random *random);
/* From 0 to n - 1, each as likely; n is not 0. */
size_t estimate_below(struct estimate_random *random, size_t n);

/*
 * With fewer independent values than this nothing is concluded; nor with
 * fewer groups of a series, in which too little is seen of whether neighbours
 * are alike.
 */
#define ESTIMATE_MIN	    6
#define ESTIMATE_MIN_SERIES 16

struct estimate {
	double centre, low, high; /* NAN where unknown */
	size_t n;		  /* values it was made of */
	size_t groups; /* independent ones among them, as far as seen */
	bool enough;   /* the interval may be relied on */
	bool sure;     /* 0 is outside of a 99.5 % interval too */
};

double estimate_median(const double *values, size_t n);
/* q from 0 to 1, between neighbours by proportion; NAN of nothing. */
double estimate_quantile(const double *values, size_t n, double q);

/* Of values that have nothing to do with each other, such as rounds. */
struct estimate estimate_independent(const double *values, size_t n,
				     struct estimate_random *random);

/*
 * Of values one after another, of which neighbours may be alike: they are
 * joined into groups until the groups are not, and what is left of it widens
 * the interval. run[i] tells from which run value i is; a group is of one run.
 * With ESTIMATE_MIN runs or more each run is a group, since then also what
 * differs from run to run is in the interval.
 */
struct estimate estimate_series(const double *values, const size_t *run,
				size_t n, struct estimate_random *random);

/* The estimate of the logarithms' differences as one of ratios. */
struct estimate estimate_exp(struct estimate logs);

enum estimate_sign {
	ESTIMATE_UNKNOWN, /* too few values */
	ESTIMATE_SAME,	  /* no difference was found */
	ESTIMATE_ABOVE,	  /* the whole interval is above 1 */
	ESTIMATE_BELOW
};

/* What an estimate of a ratio allows to be said. */
enum estimate_sign estimate_sign(const struct estimate *ratio);

#endif
