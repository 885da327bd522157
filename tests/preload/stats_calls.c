/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * argv[1] says how it ends, argv[2] how many msync calls are made before. Call
 * i has i % 16 + 1 pages, so that a trace shows which calls it saw.
 */
#include "t_preload.h"

#define PAGES	16

static char *map;

static void syncs(long n)
{
	for (long i = 0; i < n; i++) {
		map[i % PAGES * (long)T_PAGE]++;
		T_REQUIRE(msync(map, (size_t)(i % PAGES + 1) * T_PAGE,
				MS_SYNC) == 0);
	}
}

static void die(int number)
{
	(void)number;
	kill(getpid(), SIGKILL);
}

/* At any instruction whatever. */
static void die_soon(void)
{
	const struct itimerval soon = { { 0, 0 }, { 0, 100000 } };

	signal(SIGALRM, die);
	setitimer(ITIMER_REAL, &soon, NULL);
}

static void *sync_for_ever(void *arg)
{
	for (;;)
		syncs(1000);
	return arg;
}

int main(int argc, char **argv)
{
	const char *how = argv[1];
	long n = argc > 2 ? atol(argv[2]) : 0;
	pthread_t threads[3];

	map = mmap(NULL, PAGES * T_PAGE, T_RW, MAP_SHARED,
		   t_open("data", PAGES * T_PAGE), 0);
	T_REQUIRE(map != MAP_FAILED);
	syncs(n);
	if (!strcmp(how, "_exit"))
		_exit(0);
	if (!strcmp(how, "exec")) {
		execl("/proc/self/exe", argv[0], "exit", argv[2], NULL);
		return 1;
	}
	if (!strcmp(how, "fork")) {
		pid_t child = fork();

		if (child == 0) {
			syncs(2 * n);
			_exit(0);
		}
		T_REQUIRE(t_wait(child) == 0);
	}
	if (!strcmp(how, "killed")) {
		die_soon();
		sync_for_ever(NULL);
	}
	if (!strcmp(how, "killed-threads")) {
		die_soon();
		for (int i = 0; i < 3; i++)
			pthread_create(&threads[i], NULL, sync_for_ever, NULL);
		sync_for_ever(NULL);
	}
	if (!strcmp(how, "taken")) {
		/* All writable memory that is shared, but our own. */
		FILE *maps = fopen("/proc/self/maps", "r");
		unsigned long start, end;
		char line[4096], access[8];

		while (fgets(line, sizeof(line), maps)) {
			if (sscanf(line, "%lx-%lx %7s", &start, &end,
				   access) != 3 || strcmp(access, "rw-s") ||
			    start == (unsigned long)map)
				continue;
			T_REQUIRE(mmap((void *)start, end - start, T_RW,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				       -1, 0) == (void *)start);
			syncs(n);
			memset(map, 7, PAGES * T_PAGE);
			for (unsigned long at = start; at < end; at++)
				T_REQUIRE(*(char *)at == 0);
			puts("taken");
			break;
		}
		fclose(maps);
	}
	puts("fine");
	return 0;
}
