/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sample.c: how a row is measured.
 *
 * Design: rounds; in each, every contender once, in an order drawn anew. A
 * timed section ends in MFENCE: SFENCE retires long before what it waits for
 * is done, so a section that ends with it under-reports by up to 200 ns. A
 * contender meets the state that its own previous call left, not another's.
 *
 * A ratio is the ratio of two medians. Its spread is what that ratio is in
 * each of up to 16 stretches of the row: the quartiles over them. A machine
 * whose speed drifts, or which has other work, shows there.
 */
#include "bench.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#define SAMPLES_MAX	4000
#define STRETCHES	16
#define LEAST		5

static uint64_t random_state;
static double ns_per_tick;
static int cpu = -1;

uint64_t sample_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

uint64_t sample_tick(void)
{
	unsigned int ignored;
	uint64_t tick = __rdtscp(&ignored);

	_mm_lfence();
	return tick;
}

static void pin(int to)
{
	cpu_set_t allowed, one;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (int i = 0; i < CPU_SETSIZE && to < 0; i++)
		if (CPU_ISSET((size_t)i, &allowed))
			to = i;
	CPU_ZERO(&one);
	CPU_SET((size_t)to, &one);
	if (sched_setaffinity(0, sizeof(one), &one) == 0)
		cpu = to;
}

int sample_cpu(void)
{
	return cpu;
}

void sample_init(uint64_t seed, int to)
{
	double start;
	uint64_t tick;

	random_state = seed ? seed : 1;
	pin(to);
	start = seconds();
	tick = __rdtsc();
	while (seconds() - start < 0.05)
		;
	ns_per_tick = (seconds() - start) * 1e9 / (double)(__rdtsc() - tick);
}

double sample_ns_per_tick(void)
{
	return ns_per_tick;
}

static void store_every_line(char *p, size_t len)
{
	static unsigned char value;

	value++;
	for (size_t i = 0; i < len; i += 64)
		*(volatile char *)(p + i) = (char)value;
	if (len)
		*(volatile char *)(p + len - 1) = (char)value;
}

static void read_every_line(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i += 64)
		(void)*(const volatile char *)(p + i);
}

static void prepare(const struct work *work, const struct contender *c,
		    const struct call *call)
{
	if (work->operation == PERSIST) {
		if (work->state == COLD)
			evict(call->dst, call->len);
		store_every_line(call->dst, call->len);
		return;
	}
	switch (work->state) {
	case HOT:
	case DIRTY:
		c->run(c, call);
		read_every_line(call->src, call->len);
		if (work->state == DIRTY)
			store_every_line(call->dst, call->len);
		break;
	case COLD:
	case READ_BACK:
		evict(call->src, call->len);
		evict(call->dst, call->len);
		break;
	case STATES:
		break;
	}
}

static double timed(const struct work *work, const struct contender *c,
		    const struct call *call)
{
	unsigned int ignored;
	uint64_t start;

	prepare(work, c, call);
	_mm_mfence();
	_mm_lfence();
	start = __rdtsc();
	c->run(c, call);
	if (work->state == READ_BACK)
		read_every_line(call->dst, call->len);
	_mm_mfence();
	return (double)(__rdtscp(&ignored) - start);
}

/* Where the call works: all but hot copies walk, so that no page is special. */
static struct call place(const struct work *work, const struct contender *c,
			 size_t round)
{
	size_t step = (work->len + 8191) & ~(size_t)4095;
	size_t places = room_size() / step - 1, at = 0;
	struct call call = { .len = work->len };

	if (work->state == COLD || work->state == READ_BACK ||
	    work->operation == PERSIST)
		at = round % (places ? places : 1) * step;
	call.dst = room_of(c->room) + at + work->dst_off;
	call.src = source() + at + work->src_off;
	if (work->operation == MOVE)
		call.src = room_of(c->room) + at + work->src_off;
	return call;
}

/* Byte for byte, with guards on both sides, before it is timed. */
static bool is_right(const struct work *work, const struct contender *c)
{
	struct call call = place(work, c, 0);
	char *expected = malloc(call.len);
	bool right = true;

	if (!expected)
		abort();
	if (work->operation == SET)
		memset(expected, 0x5a, call.len);
	else
		memcpy(expected, call.src, call.len);
	if (work->operation != MOVE) {
		memset(call.dst, 0x11, call.len);
		if (work->dst_off)
			call.dst[-1] = 0x22;
		call.dst[call.len] = 0x33;
	}
	c->run(c, &call);
	if (strcmp(c->name, "stores") != 0 && work->operation != PERSIST)
		right = memcmp(call.dst, expected, call.len) == 0 &&
			(work->operation == MOVE ||
			 (call.dst[call.len] == 0x33 &&
			  (!work->dst_off || call.dst[-1] == 0x22)));
	free(expected);
	if (!right)
		fprintf(stderr, "bench: %s: wrong bytes at %zu\n", c->name,
			call.len);
	return right;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median_of(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_value);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static double stretch_median(const double *t, size_t from, size_t to)
{
	static double copy[SAMPLES_MAX];

	memcpy(copy, t + from, (to - from) * sizeof(*t));
	return median_of(copy, to - from);
}

static void judge(const double *base, double *t, size_t n, struct spread *out)
{
	size_t stretches = n / LEAST < STRETCHES ? n / LEAST : STRETCHES;
	double ratios[STRETCHES];

	stretches = stretches ? stretches : 1;
	for (size_t i = 0; i < stretches; i++) {
		size_t from = n * i / stretches, to = n * (i + 1) / stretches;

		ratios[i] = stretch_median(base, from, to) /
			    stretch_median(t, from, to);
	}
	out->ns = stretch_median(t, 0, n) * ns_per_tick;
	out->ratio = stretch_median(base, 0, n) * ns_per_tick / out->ns;
	median_of(ratios, stretches);
	out->low = ratios[stretches / 4];
	out->high = ratios[stretches - 1 - stretches / 4];
	out->n = n;
}

static void quartiles(double *t, size_t n, struct spread *out)
{
	median_of(t, n);
	out->q1 = t[n / 4] * ns_per_tick;
	out->q3 = t[n - 1 - n / 4] * ns_per_tick;
}

void sample_row(const struct work *work, struct contender *list, size_t n,
		double budget, struct spread *out)
{
	static double t[CONTENDERS_MAX][SAMPLES_MAX];
	size_t order[CONTENDERS_MAX], round;
	double end = seconds() + budget;

	for (size_t i = 0; i < n; i++) {
		list[i].skipped = !is_right(work, &list[i]);
		order[i] = i;
	}
	for (round = 0; round < SAMPLES_MAX; round++) {
		if (round >= LEAST && seconds() > end)
			break;
		for (size_t i = n - 1; i > 0; i--) {
			size_t j = sample_random() % (i + 1), o = order[i];

			order[i] = order[j];
			order[j] = o;
		}
		for (size_t i = 0; i < n; i++) {
			const struct contender *c = &list[order[i]];
			struct call call = place(work, c, round * n + i);

			t[order[i]][round] = timed(work, c, &call);
		}
	}
	for (size_t i = 0; i < n; i++)
		judge(t[0], t[i], round, &out[i]);
	for (size_t i = 0; i < n; i++)
		quartiles(t[i], round, &out[i]);
}
