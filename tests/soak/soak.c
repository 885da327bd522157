/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * soak.c SECONDS: a program that lives long under the shim: threads that map,
 * copy, sync, move, split and unmap files of their own, and children. Between
 * two rounds nothing is mapped, and what the process then holds must not grow:
 * before the first round and forty times in all it prints the elapsed seconds,
 * RSS and virtual size in KiB, mappings, descriptors, and the rounds and msync
 * calls so far. What the files hold is compared with a model all along.
 */
#include "tests/support/t_preload.h"

#define THREADS		4
#define PAGES		64
#define LEN		(PAGES * T_PAGE)
#define STEPS		200	/* of a thread in a round */

struct worker {
	pthread_t thread;
	unsigned int seed;
	int number;
	int fd;
	char *map;
	char model[LEN];	/* what the file holds */
	char source[LEN];
};

static struct worker workers[THREADS];
static long rounds, syncs;

static void die(const char *what, const struct worker *w)
{
	dprintf(2, "soak: %s: thread %d, errno %d\n", what, w->number, errno);
	_exit(1);
}

static void map_file(struct worker *w)
{
	w->map = mmap(NULL, LEN, T_RW, MAP_SHARED, w->fd, 0);
	if (w->map == MAP_FAILED)
		die("mmap", w);
}

static void some_range(struct worker *w, size_t *at, size_t *len)
{
	*at = (size_t)rand_r(&w->seed) % LEN;
	*len = (size_t)rand_r(&w->seed) % (LEN - *at) >> rand_r(&w->seed) % 8;
}

static void do_copy(struct worker *w)
{
	size_t at, len;

	some_range(w, &at, &len);
	memcpy(w->map + at, w->source, len);
	memcpy(w->model + at, w->source, len);
	w->source[at] = (char)rand_r(&w->seed);
}

static void do_set(struct worker *w)
{
	size_t at, len;
	int byte = rand_r(&w->seed);

	some_range(w, &at, &len);
	memset(w->map + at, byte, len);
	memset(w->model + at, byte, len);
}

static void do_store(struct worker *w)
{
	size_t at = (size_t)rand_r(&w->seed) % LEN;

	w->map[at] = w->model[at] = (char)rand_r(&w->seed);
}

static void do_sync(struct worker *w)
{
	size_t page = (size_t)rand_r(&w->seed) % PAGES;

	if (msync(w->map + page * T_PAGE, LEN - page * T_PAGE, MS_SYNC))
		die("msync", w);
	__atomic_add_fetch(&syncs, 1, __ATOMIC_RELAXED);
}

static void do_write(struct worker *w)
{
	size_t at, len;

	some_range(w, &at, &len);
	if (pwrite(w->fd, w->source, len, (off_t)at) != (ssize_t)len)
		die("pwrite", w);
	memcpy(w->model + at, w->source, len);
}

static void do_protect(struct worker *w)
{
	char *page = w->map + (size_t)rand_r(&w->seed) % PAGES * T_PAGE;

	if (mprotect(page, T_PAGE, PROT_READ) ||
	    msync(w->map, LEN, MS_SYNC) || mprotect(page, T_PAGE, T_RW))
		die("mprotect", w);
}

static void do_move(struct worker *w)
{
	char *place = mmap(NULL, LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	w->map = mremap(w->map, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	if (w->map == MAP_FAILED)
		die("mremap", w);
}

/* A hole in the middle, filled again. */
static void do_split(struct worker *w)
{
	size_t page = (size_t)rand_r(&w->seed) % PAGES;
	char *p = w->map + page * T_PAGE;

	if (munmap(p, T_PAGE) ||
	    mmap(p, T_PAGE, T_RW, MAP_SHARED | MAP_FIXED_NOREPLACE, w->fd,
		 (off_t)(page * T_PAGE)) == MAP_FAILED) {
		/* another thread was faster: all of it anew */
		munmap(w->map, page * T_PAGE);
		munmap(p + T_PAGE, LEN - (page + 1) * T_PAGE);
		map_file(w);
	}
}

static void do_again(struct worker *w)
{
	if (munmap(w->map, LEN))
		die("munmap", w);
	map_file(w);
}

static void (*const steps[])(struct worker *) = {
	do_copy, do_copy, do_set, do_store, do_store, do_sync, do_sync,
	do_write, do_protect, do_move, do_split, do_again,
};

static void check(struct worker *w)
{
	static __thread char found[LEN];

	if (memcmp(w->map, w->model, LEN))
		die("the mapping is wrong", w);
	if (pread(w->fd, found, LEN, 0) != (ssize_t)LEN ||
	    memcmp(found, w->model, LEN))
		die("the file is wrong", w);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	map_file(w);
	for (int i = 0; i < STEPS; i++)
		steps[(size_t)rand_r(&w->seed) %
		      (sizeof(steps) / sizeof(steps[0]))](w);
	check(w);
	if (munmap(w->map, LEN))
		die("munmap", w);
	return NULL;
}

static void round_of_threads(void)
{
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			die("pthread_create", &workers[i]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
}

/* A child does a little of the same, on the file of the first. */
static void round_of_a_child(void)
{
	pid_t child = fork();

	if (child == 0) {
		work(&workers[0]);
		_exit(0);
	}
	if (t_wait(child))
		die("the child", &workers[0]);
	if (pread(workers[0].fd, workers[0].model, LEN, 0) != (ssize_t)LEN)
		die("pread", &workers[0]);
}

static int count_lines(const char *name)
{
	static char text[1 << 16];
	int fd = open(name, O_RDONLY), n = 0;
	ssize_t got;

	while ((got = read(fd, text, sizeof(text))) > 0)
		for (ssize_t i = 0; i < got; i++)
			n += text[i] == '\n';
	close(fd);
	return n;
}

/* Those of the program and of the shim, below any limit. */
static int count_descriptors(void)
{
	int n = 0;

	for (int i = 0; i < 65536; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

static void report(long elapsed)
{
	char text[128] = "", line[256];
	int fd = open("/proc/self/statm", O_RDONLY), n;
	unsigned long size = 0, resident = 0;

	if (read(fd, text, sizeof(text) - 1) > 0)
		sscanf(text, "%lu %lu", &size, &resident);
	close(fd);
	n = snprintf(line, sizeof(line), "%ld %lu %lu %d %d %ld %ld\n", elapsed,
		     resident * 4, size * 4, count_lines("/proc/self/maps"),
		     count_descriptors(), rounds, syncs);
	if (write(1, line, (size_t)n) != n)
		_exit(1);
}

int main(int argc, char **argv)
{
	long seconds = argc > 1 ? atol(argv[1]) : 10;
	long every = seconds / 40 ? seconds / 40 : 1, next = every;
	time_t start = time(NULL);

	for (int i = 0; i < THREADS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "soak%d", i);
		workers[i].number = i;
		workers[i].seed = (unsigned int)i + 1;
		workers[i].fd = t_open(name, LEN);
		memset(workers[i].model, 1, LEN);
	}
	report(0);
	for (; time(NULL) - start < seconds; rounds++) {
		round_of_threads();
		if (rounds % 4 == 0)
			round_of_a_child();
		if (time(NULL) - start < next)
			continue;
		report((long)(time(NULL) - start));
		next += every;
	}
	return 0;
}
