/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loaded.c: what a program pays because the library is loaded, and what many
 * mappings and several threads change.
 *
 * Design: small copies and lookups take a few ns, less than a fence, so they
 * are timed in bursts; contenders take turns in random order, and what counts
 * is the difference of medians. The registry's own cost is measured on the
 * module itself: vm.max_map_count does not allow 100,000 real mappings.
 */
#include "bench.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/registry.h"

#define BURST	1000
#define ROUNDS	1501

typedef void *(*copy_fn)(void *, const void *, size_t);
typedef void *(*map_fn)(void *, size_t, int, int, int, off_t);

static double spare_a[ROUNDS], spare_b[ROUNDS];

static double per_call(uint64_t ticks, size_t calls)
{
	return (double)ticks * sample_ns_per_tick() / (double)calls;
}

/* Some 10 ns of a program's own: each step waits for the one before. */
static inline uint64_t other_work(uint64_t x)
{
	for (int i = 0; i < 6; i++)
		x = x * 6364136223846793005u + 1442695040888963407u;
	return x;
}

/*
 * The same code calls both: through a pointer the compiler cannot see. With
 * others, calls do not follow each other like beads on a string.
 */
static __attribute__((noinline)) double burst(copy_fn volatile *f, char *dst,
					      const char *src, size_t len,
					      bool others)
{
	uint64_t start = sample_tick(), x = start;

	for (int i = 0; i < BURST; i++) {
		if (others)
			x = other_work(x);
		(*f)(dst, src, len);
	}
	*(volatile uint64_t *)&x = x;
	return per_call(sample_tick() - start, BURST);
}

/* The median of one burst less the median of the other; *b: the other. */
static double burst_pair(copy_fn volatile *ours, copy_fn volatile *theirs,
			 size_t len, bool others, double *b)
{
	static char dst[1024], src[1024];

	for (size_t i = 0; i < ROUNDS; i++) {
		bool first = sample_random() & 1;

		if (first)
			spare_a[i] = burst(ours, dst, src, len, others);
		spare_b[i] = burst(theirs, dst, src, len, others);
		if (!first)
			spare_a[i] = burst(ours, dst, src, len, others);
	}
	*b = median_of(spare_b, ROUNDS);
	return median_of(spare_a, ROUNDS) - *b;
}

void loaded_small_copies(FILE *f)
{
	static const size_t lens[] = { 8, 32, 64, 128, 256, 512, 1000 };
	copy_fn volatile ours = memcpy;
	copy_fn volatile theirs = (copy_fn)libc_symbol("memcpy");

	printf("  memcpy below copy_min: libc's time, and how much more ours takes\n"
	       "    %-14s %22s %30s\n", "", "back to back", "between other work");
	fprintf(f, ",\n\"small\": [");
	for (size_t k = 0; k < sizeof(lens) / sizeof(lens[0]); k++) {
		double b, c;
		double back = burst_pair(&ours, &theirs, lens[k], false, &b);
		double between = burst_pair(&ours, &theirs, lens[k], true, &c);

		printf("    %4zu bytes %14.2f ns %+5.2f ns %18.2f ns %+5.2f ns\n",
		       lens[k], b, back, c, between);
		fprintf(f, "%s{\"size\": %zu, \"libc\": %.3f, \"more\": %.3f, \"libc_between\": %.3f, \"more_between\": %.3f}",
			k ? ", " : "", lens[k], b, back, c, between);
	}
	fprintf(f, "]");
}

static uint64_t put(void *context, uint64_t value, size_t pages, bool lost)
{
	(void)value, (void)pages;
	return lost ? 0 : *(uint64_t *)context;
}

/* n mappings of a page, each at a distance from the next. */
static void fill(uintptr_t at, size_t n, size_t distance)
{
	struct registry_guard guard;

	registry_lock(&guard);
	for (size_t i = 0; i < n; i++) {
		uint64_t value = 2 + i;

		registry_update(at + i * distance, at + i * distance + 4096,
				put, &value);
	}
	registry_unlock(&guard);
}

static double lookups(uintptr_t at, size_t n, size_t distance, bool chained)
{
	static uintptr_t where[BURST];
	uint64_t start, sum = 0, none = 0;

	for (int i = 0; i < BURST; i++)
		where[i] = at + sample_random() % n * distance;
	start = sample_tick();
	if (chained) {
		/* The next address waits for this answer. */
		for (int i = 0; i < BURST; i++) {
			sum = registry_find(where[i] + none);
			none = sum >> 62;
		}
	} else {
		for (int i = 0; i < BURST; i++)
			sum += registry_find(where[i]);
	}
	*(volatile uint64_t *)&none = sum;
	return per_call(sample_tick() - start, BURST);
}

static double lookup_median(uintptr_t at, size_t n, size_t distance,
			    bool chained)
{
	for (size_t i = 0; i < ROUNDS; i++)
		spare_a[i] = lookups(at, n, distance, chained);
	return median_of(spare_a, ROUNDS);
}

void loaded_lookup(FILE *f)
{
	static const size_t ns[] = { 1, 16, 1000, 10000, 100000 };
	uintptr_t at = (uintptr_t)1 << 40;

	printf("  lookup of a random mapping: independent / waiting for the one before\n"
	       "    %-14s %22s %22s\n", "mappings", "8 KiB apart", "64 KiB apart");
	fprintf(f, ",\n\"lookup\": [");
	for (size_t k = 0; k < sizeof(ns) / sizeof(ns[0]); k++) {
		double t[4];

		for (int far = 0; far < 2; far++) {
			size_t distance = far ? 65536 : 8192;

			fill(at, ns[k], distance);
			t[far * 2] = lookup_median(at, ns[k], distance, false);
			t[far * 2 + 1] = lookup_median(at, ns[k], distance,
						       true);
			at += (uintptr_t)1 << 36;
		}
		printf("    %-14zu %10.1f /%6.1f ns %11.1f /%6.1f ns\n", ns[k],
		       t[0], t[1], t[2], t[3]);
		fprintf(f, "%s{\"mappings\": %zu, \"near\": %.2f, \"near_chained\": %.2f, \"far\": %.2f, \"far_chained\": %.2f}",
			k ? ", " : "", ns[k], t[0], t[1], t[2], t[3]);
	}
	fprintf(f, "]");
}

static size_t resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	size_t all = 0, pages = 0;

	if (f && fscanf(f, "%zu %zu", &all, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages * 4096;
}

void loaded_memory(FILE *f)
{
	struct registry_guard guard;
	uintptr_t tib = (uintptr_t)1 << 44, far = tib + ((uintptr_t)4 << 40);
	uintptr_t near = far + ((uintptr_t)4 << 40);
	size_t before = resident(), one, scattered, adjacent;
	const size_t n = 100000;
	uint64_t value = 1;

	registry_lock(&guard);
	/* 1 TiB that begins and ends as awkwardly as it can. */
	registry_update(tib + 4096, tib + 4096 + ((uintptr_t)1 << 40), put,
			&value);
	registry_unlock(&guard);
	one = resident() - before;
	before = resident();
	fill(near, n, 8192);
	adjacent = resident() - before;
	before = resident();
	fill(far, n, 65536);
	scattered = resident() - before;
	printf("  registry, resident\n"
	       "    one mapping of 1 TiB %30zu KiB\n"
	       "    100,000 of a page, 8 KiB apart %20.1f bytes each\n"
	       "    100,000 of a page, 64 KiB apart %19.1f bytes each, %.1f of it forced by the spread\n",
	       one / KIB, (double)adjacent / (double)n,
	       (double)scattered / (double)n, 4096.0 / 32);
	fprintf(f, ",\n\"memory\": {\"one_tib\": %zu, \"near\": %.1f, \"far\": %.1f, \"forced\": %.1f}",
		one, (double)adjacent / (double)n, (double)scattered / (double)n,
		4096.0 / 32);
}

static double map_once(map_fn volatile *map, int fd, int flags)
{
	uint64_t start = sample_tick();
	void *p = (*map)(NULL, 65536, PROT_READ | PROT_WRITE, flags, fd, 0);
	uint64_t end = sample_tick();

	if (p == MAP_FAILED)
		abort();
	munmap(p, 65536);
	return per_call(end - start, 1);
}

static int open_file(const char *dir, const char *name, size_t len)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)len)) {
		perror(path);
		exit(1);
	}
	return fd;
}

/* mmap of what is not ours, and of what is. */
void loaded_maps(FILE *f, const char *dir)
{
	static const struct {
		const char *title, *name;
		int flags;
	} kinds[] = {
		{ "anonymous memory", NULL, MAP_PRIVATE | MAP_ANONYMOUS },
		{ "a private file", "outside", MAP_PRIVATE },
		{ "a shared file under no rule", "outside", MAP_SHARED },
		{ "a shared file under a rule", "verify/another", MAP_SHARED },
	};
	map_fn volatile ours = mmap;
	map_fn volatile theirs = (map_fn)libc_symbol("mmap");

	printf("  %-44s %8s %8s %8s\n", "mmap", "libc", "shim", "more");
	fprintf(f, ",\n\"mmap\": [");
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		int fd = kinds[k].name ? open_file(dir, kinds[k].name, 65536)
				       : -1;
		double a, b;

		for (size_t i = 0; i < ROUNDS; i++) {
			spare_a[i] = map_once(&ours, fd, kinds[k].flags);
			spare_b[i] = map_once(&theirs, fd, kinds[k].flags);
		}
		a = median_of(spare_a, ROUNDS);
		b = median_of(spare_b, ROUNDS);
		printf("    %-40s %6.0f ns %5.0f ns %+5.0f ns\n",
		       kinds[k].title, b, a, a - b);
		fprintf(f, "%s{\"kind\": \"%s\", \"libc\": %.1f, \"shim\": %.1f}",
			k ? ", " : "", kinds[k].title, b, a);
		if (fd >= 0)
			close(fd);
	}
	fprintf(f, "]");
}

/* msync and copy of 4 KiB when there are many real mappings. */
void loaded_mappings(FILE *f, const char *dir)
{
	static const size_t ns[] = { 1, 16, 1000, 10000, 30000 };
	static char *pages[30000], src[4096];
	int fd = open_file(dir, "verify/pages", ns[4] * 8192);
	size_t have = 0;

	printf("  4 KiB with many real mappings (the system allows no 100,000)\n"
	       "    %-14s %12s %12s\n", "mappings", "msync", "memcpy");
	fprintf(f, ",\n\"mappings\": [");
	for (size_t k = 0; k < sizeof(ns) / sizeof(ns[0]); k++) {
		double sync, copy;

		/* Every second page, so that no two become one. */
		for (; have < ns[k]; have++) {
			pages[have] = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					   MAP_SHARED, fd,
					   (off_t)have * 8192);
			if (pages[have] == MAP_FAILED)
				break;
			pages[have][0] = 1;
			msync(pages[have], 4096, MS_SYNC);
		}
		if (have < ns[k])
			break;
		/* Until the clock has passed the file's ctime a persist
		 * commits metadata. */
		usleep(25000);
		for (size_t i = 0; i < ROUNDS; i++) {
			char *p = pages[sample_random() % have];
			uint64_t start;

			for (size_t j = 0; j < 4096; j += 64)
				((volatile char *)p)[j] = (char)i;
			start = sample_tick();
			msync(p, 4096, MS_SYNC);
			__builtin_ia32_mfence();
			spare_a[i] = per_call(sample_tick() - start, 1);
			start = sample_tick();
			memcpy(p, src, 4096);
			__builtin_ia32_mfence();
			spare_b[i] = per_call(sample_tick() - start, 1);
		}
		sync = median_of(spare_a, ROUNDS);
		copy = median_of(spare_b, ROUNDS);
		printf("    %-14zu %9.0f ns %9.0f ns\n", ns[k], sync, copy);
		fprintf(f, "%s{\"mappings\": %zu, \"msync\": %.1f, \"memcpy\": %.1f}",
			k ? ", " : "", ns[k], sync, copy);
	}
	for (size_t i = 0; i < have; i++)
		munmap(pages[i], 4096);
	close(fd);
	fprintf(f, "]");
}

struct worker {
	pthread_t thread;
	char *at;
	int cpu;
	bool bare;
	size_t len, calls;
	_Atomic int *gate;
	double ns;		/* each call */
};

static void *work(void *argument)
{
	struct worker *w = argument;
	cpu_set_t set;
	uint64_t start;

	CPU_ZERO(&set);
	CPU_SET((size_t)w->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	--*w->gate;
	while (*w->gate > 0)
		;
	start = sample_tick();
	for (size_t i = 0; i < w->calls; i++) {
		for (size_t j = 0; j < w->len; j += 64)
			((volatile char *)w->at)[j] = (char)i;
		if (w->bare)
			persist_bare(w->at, w->len);
		else
			msync(w->at, w->len, MS_SYNC);
	}
	w->ns = per_call(sample_tick() - start, w->calls);
	return NULL;
}

/* Calls each ns, of n threads on as many mappings. */
static double throughput(bool bare, size_t n, size_t len, const int *cpus)
{
	struct worker w[2];
	_Atomic int gate = (int)n;
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		w[i] = (struct worker){
			/* One file and one rule: they share all they can. */
			.at = room_of(VERIFY) + i * (room_size() / 2),
			.cpu = cpus[i], .bare = bare, .len = len,
			.calls = 2000 * 4096 / len + 20,
			.gate = &gate,
		};
		pthread_create(&w[i].thread, NULL, work, &w[i]);
	}
	for (size_t i = 0; i < n; i++) {
		pthread_join(w[i].thread, NULL);
		sum += 1 / w[i].ns;
	}
	return sum;
}

#define GAIN_ROUNDS	31

struct gain {
	double ratio;		/* of the medians */
	double undisturbed;	/* of the best */
};

static struct gain gain_of(double *one, double *two)
{
	struct gain gain;

	gain.ratio = median_of(two, GAIN_ROUNDS) / median_of(one, GAIN_ROUNDS);
	/* Sorted now. */
	gain.undisturbed = two[GAIN_ROUNDS - 1] / one[GAIN_ROUNDS - 1];
	return gain;
}

static void measure_gain(size_t len, const int *cpus, struct gain *ours,
			 struct gain *bare)
{
	double t[4][GAIN_ROUNDS];

	for (size_t i = 0; i < GAIN_ROUNDS; i++) {
		int swapped[2] = { cpus[i & 1], cpus[~i & 1] };

		for (size_t k = 0; k < 4; k++)
			t[k][i] = throughput(k >= 2, 1 + k % 2, len, swapped);
	}
	*ours = gain_of(t[0], t[1]);
	*bare = gain_of(t[2], t[3]);
}

void loaded_threads(FILE *f)
{
	static const size_t lens[] = { 4096, 65536, 1048576 };
	cpu_set_t allowed, all;
	int cpus[2], n = 0;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	CPU_ZERO(&all);
	for (int i = 0; i < CPU_SETSIZE; i++)
		CPU_SET((size_t)i, &all);
	sched_setaffinity(0, sizeof(all), &all);
	sched_getaffinity(0, sizeof(all), &all);
	for (int i = 0; i < CPU_SETSIZE && n < 2; i++)
		if (CPU_ISSET((size_t)i, &all))
			cpus[n++] = i;
	sched_setaffinity(0, sizeof(allowed), &allowed);
	fprintf(f, ",\n\"threads\": [");
	if (n < 2) {
		fprintf(f, "]");
		return;
	}
	printf("  store and persist, two threads on two ranges against one, and undisturbed\n"
	       "    %-14s %22s %22s\n", "", "msync", "bare flushes");
	for (size_t k = 0; k < sizeof(lens) / sizeof(lens[0]); k++) {
		struct gain ours, bare;

		measure_gain(lens[k], cpus, &ours, &bare);
		printf("    %7zu bytes %14.2f / %.2f times %12.2f / %.2f times\n",
		       lens[k], ours.ratio, ours.undisturbed, bare.ratio,
		       bare.undisturbed);
		fprintf(f, "%s{\"size\": %zu, \"ratio\": %.3f, \"undisturbed\": %.3f, \"bare\": %.3f, \"bare_undisturbed\": %.3f}",
			k ? ", " : "", lens[k], ours.ratio, ours.undisturbed,
			bare.ratio, bare.undisturbed);
	}
	fprintf(f, "]");
}
