/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Eight threads for argv[1] seconds: three map and unmap windows of their own,
 * three sync across all windows, two copy into them. What is unmapped becomes
 * PROT_NONE, so a flush that comes too late is a signal.
 */
#include "t_preload.h"

#include <setjmp.h>

#define OWNERS	3
#define SYNCERS	3
#define COPIERS	2
#define PAGES	16
#define WINDOW	(PAGES * T_PAGE)
/* Where the kernel puts nothing by itself: a hole stays one. */
#define AREA	((char *)0x10000000000)

static int fd;
static _Atomic int stop, wrong;
static _Atomic long maps, syncs, holes, copies, faults;
static __thread sigjmp_buf back;
static __thread char *volatile to;	/* a copy is under way ... */
static __thread volatile size_t len;	/* ... to here */

#define EXPECT(what)							\
	do {								\
		if (!(what) && !wrong++)				\
			dprintf(2, "line %d: %s: errno %d\n", __LINE__,	\
				#what, errno);				\
	} while (0)

static void on_fault(int number, siginfo_t *info, void *context)
{
	char *addr = info->si_addr;

	(void)context;
	if (to && addr >= to && addr < to + len)
		siglongjmp(back, 1);
	dprintf(2, "signal %d at %p, which is no copy's address\n", number,
		(void *)addr);
	_exit(97);
}

static unsigned int any(unsigned int *state, unsigned int n)
{
	*state = *state * 1103515245u + 12345u;
	return (*state >> 8) % n;
}

static void take_away(char *window, unsigned int how)
{
	if (how == 0) {
		EXPECT(munmap(window, WINDOW) == 0);
		EXPECT(msync(window, WINDOW, MS_SYNC) == -1 && errno == ENOMEM);
	} else if (how == 1) {
		EXPECT(mprotect(window, WINDOW, PROT_NONE) == 0);
		return;
	}
	EXPECT(mmap(window, WINDOW, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == window);
	if (how == 2)
		EXPECT(msync(window, WINDOW, MS_SYNC) == 0);
}

static void *own(void *arg)
{
	unsigned int state = (unsigned int)(intptr_t)arg * 7 + 1;
	char *window = AREA + (intptr_t)arg * (intptr_t)WINDOW;
	off_t offset = (off_t)((intptr_t)arg * (intptr_t)WINDOW);
	char block[3000], seen[3000];

	while (!stop) {
		/* The last page is the owner's: nobody copies there. */
		char *mine = window + WINDOW - T_PAGE + 7;

		EXPECT(mmap(window, WINDOW, T_RW, MAP_SHARED | MAP_FIXED |
			    (any(&state, 2) ? MAP_POPULATE : 0), fd, offset) ==
		       window);
		memset(block, (int)any(&state, 256), sizeof(block));
		memcpy(mine, block, sizeof(block));
		EXPECT(msync(window, WINDOW, MS_SYNC) == 0);
		EXPECT(msync(window, WINDOW, MS_SYNC) == 0);
		EXPECT(pread(fd, seen, sizeof(seen), offset + (mine - window)) ==
		       (ssize_t)sizeof(seen));
		EXPECT(memcmp(seen, block, sizeof(seen)) == 0);
		if (any(&state, 4) == 0)
			usleep(any(&state, 300));
		take_away(window, any(&state, 3));
		maps++;
	}
	return NULL;
}

static void *sync_all(void *arg)
{
	unsigned int state = (unsigned int)(intptr_t)arg * 31 + 5;

	while (!stop) {
		unsigned int first = any(&state, OWNERS * PAGES);
		unsigned int n = 1 + any(&state, OWNERS * PAGES - first);

		if (msync(AREA + first * T_PAGE, n * T_PAGE, MS_SYNC)) {
			EXPECT(errno == ENOMEM);
			holes++;
		}
		syncs++;
	}
	return NULL;
}

static void *copy_into(void *arg)
{
	unsigned int state = (unsigned int)(intptr_t)arg * 17 + 3;
	static char from[4 * T_PAGE];

	while (!stop) {
		char *window = AREA + any(&state, OWNERS) * WINDOW;
		char *start = window + any(&state, (PAGES - 5) * T_PAGE);

		len = 1 + any(&state, sizeof(from));
		if (sigsetjmp(back, 1) == 0) {
			to = start;
			EXPECT(memcpy(start, from, len) == start);
			copies++;
		} else {
			faults++;
		}
		to = NULL;
	}
	return NULL;
}

static int is_enough(void)
{
	return maps > 100 && copies > 100 && faults > 10 && syncs > 100 &&
	       holes > 10;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO };
	pthread_t threads[OWNERS + SYNCERS + COPIERS];
	int n = 0;

	fd = t_open("data", OWNERS * WINDOW);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	for (intptr_t i = 0; i < OWNERS; i++)
		pthread_create(&threads[n++], NULL, own, (void *)i);
	for (intptr_t i = 0; i < SYNCERS; i++)
		pthread_create(&threads[n++], NULL, sync_all, (void *)i);
	for (intptr_t i = 0; i < COPIERS; i++)
		pthread_create(&threads[n++], NULL, copy_into, (void *)i);
	sleep((unsigned int)atoi(argv[argc - 1]));
	/* A busy machine takes longer to show as much. */
	for (int i = 0; i < 20 && !is_enough(); i++)
		sleep(1);
	stop = 1;
	while (n > 0)
		pthread_join(threads[--n], NULL);
	dprintf(2, "maps %ld syncs %ld holes %ld copies %ld faults %ld\n",
		maps, syncs, holes, copies, faults);
	printf("%d wrong, %s\n", wrong, is_enough() ? "enough" : "few");
	return 0;
}
