/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe_cost.c: what one 4 KiB persist and one msync of the kernel cost here.
 *
 * Design: both are measured on the temporary file, each after a store to
 * every line of one page, and reported as medians. A timed section ends in a
 * full fence, because SFENCE retires long before what it waits for is done.
 * The kernel's msync write-protects the page, so the stores that follow it
 * fault: what they cost more than after a persist is told beside it. A file
 * system that finds no room for the page at last sends SIGBUS.
 */
#include "cli/probe.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "shim/registry.h"
#include "shim/sys.h"

#define TRIES	1001
/* A disk's msync takes milliseconds; this many nanoseconds are enough. */
#define BUDGET	200e6
#define TRIES_MIN 11

enum { WARM_UP = 3 };

static sigjmp_buf no_room;

static void on_bus_error(int signal)
{
	(void)signal;
	siglongjmp(no_room, 1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), by_size);
	return values[n / 2];
}

struct series {
	double stores[TRIES], syncs[TRIES];
	unsigned int n;
};

/* What reading the clock and the fence cost by themselves. */
static double overhead(void)
{
	static double empty[TRIES];
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		empty[i] = now();
		atomic_thread_fence(memory_order_seq_cst);
		empty[i] = now() - empty[i];
	}
	return median(empty, TRIES);
}

static void store_every_line(volatile unsigned char *page, unsigned char value)
{
	size_t i;

	for (i = 0; i < REGISTRY_PAGE; i += ARCH_LINE)
		page[i] = value;
}

/* policy NULL: by the kernel. */
static void sync_page(const struct persist_policy *policy, void *page)
{
	uint64_t epoch = atomic_load(&registry_epoch);

	if (!policy) {
		sys_msync(page, REGISTRY_PAGE, MS_SYNC);
		return;
	}
	persist_flush(policy, page, REGISTRY_PAGE, &registry_epoch, epoch);
	persist_drain();
}

static void one_try(const struct persist_policy *policy, void *page,
		    struct series *series)
{
	double began, stored, ended;

	began = now();
	store_every_line(page, (unsigned char)series->n);
	atomic_thread_fence(memory_order_seq_cst);
	stored = now();
	sync_page(policy, page);
	atomic_thread_fence(memory_order_seq_cst);
	ended = now();
	series->stores[series->n] = stored - began;
	series->syncs[series->n] = ended - stored;
	series->n++;
}

static void measure(const struct persist_policy *policy, void *page,
		    struct series *series)
{
	double end;
	int i;

	for (i = 0; i < WARM_UP; i++) {
		series->n = 0;
		one_try(policy, page, series);
	}
	series->n = 0;
	end = now() + BUDGET;
	while (series->n < TRIES && (series->n < TRIES_MIN || now() < end))
		one_try(policy, page, series);
}

static double at_least_zero(double value)
{
	return value > 0 ? value : 0;
}

static void measure_both(struct probe *p, void *page)
{
	static struct series persist, kernel;
	struct probe_cost *cost = &p->cost;
	double clock = overhead();

	measure(NULL, page, &kernel);
	cost->msync = at_least_zero(median(kernel.syncs, kernel.n) - clock);
	cost->msyncs = kernel.n;
	if (cost->no_persist)
		return;
	measure(p->policy, page, &persist);
	cost->persist = at_least_zero(median(persist.syncs, persist.n) - clock);
	cost->persists = persist.n;
	cost->refault = at_least_zero(median(kernel.stores, kernel.n) -
				      median(persist.stores, persist.n));
}

static void skip(struct probe_cost *cost, const char *why)
{
	free(cost->no_persist);
	free(cost->no_msync);
	cost->no_persist = cli_strdup(why);
	cost->no_msync = cli_strdup(why);
}

/* Written, so that no store has to find room; with MAP_SYNC where granted. */
static void *map_page(struct probe *p)
{
	static const unsigned char zeros[4096];
	int flags = p->tried && p->sync == 0 ? MAP_SHARED_VALIDATE | MAP_SYNC
					     : MAP_SHARED;

	_Static_assert(sizeof(zeros) == REGISTRY_PAGE, "one page");
	if (pwrite(p->temp, zeros, sizeof(zeros), 0) != sizeof(zeros) ||
	    fsync(p->temp))
		return MAP_FAILED;
	return sys_mmap(NULL, REGISTRY_PAGE, PROT_READ | PROT_WRITE, flags,
			p->temp, 0);
}

static void measure_guarded(struct probe *p, void *page)
{
	struct sigaction action = { .sa_handler = on_bus_error }, old;

	sigaction(SIGBUS, &action, &old);
	if (sigsetjmp(no_room, 1) == 0)
		measure_both(p, page);
	else
		skip(&p->cost, "the file system has no room");
	sigaction(SIGBUS, &old, NULL);
}

/* Where a persist makes nothing durable its cost would mislead. */
static void choose(struct probe *p)
{
	if (!p->policy)
		p->cost.no_persist = cli_strdup("this processor has no flush that the shim knows");
	else if (p->sync != 0 && p->outcome != PROBE_ASSUMED)
		p->cost.no_persist = cli_strdup("not durable here");
}

void probe_cost(struct probe *p)
{
	struct dax_info of_temp;
	char *why;
	void *page;

	choose(p);
	if (p->temp < 0) {
		skip(&p->cost, p->no_temp ? p->no_temp : "there is no file");
		return;
	}
	if (dax_look(p->temp, &of_temp) || of_temp.kind != p->info.kind) {
		skip(&p->cost, "a temporary file in its directory is not of the same kind as the file");
		return;
	}
	page = map_page(p);
	if (page == MAP_FAILED) {
		why = cli_format("the temporary file cannot be used (%s)",
				 probe_error(errno));
		skip(&p->cost, why);
		free(why);
		return;
	}
	measure_guarded(p, page);
	sys_munmap(page, REGISTRY_PAGE);
}
