/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A timer of 50 us, for at least two seconds and ENOUGH signals. The
 * handler starts it again: one that takes longer than that would starve main.
 */
#include "t_preload.h"

#define ENOUGH	1100

static char *p, *q;	/* of the program, of the handler */
static int fd;
static volatile long signals, wrong;
static const struct itimerval soon = { { 0, 0 }, { 0, 50 } }, never;

static void handler(int number)
{
	int saved = errno;
	static char from[3000];
	char *m;

	(void)number;
	errno = T_ERRNO;
	memset(from, (int)signals, sizeof(from));
	memcpy(q + 5, from, sizeof(from));
	wrong += memcmp(q + 5, from, sizeof(from)) != 0;
	wrong += msync(q, T_PAGE, MS_SYNC) != 0;
	if (signals % 16 == 0) {
		m = mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 0);
		wrong += m == MAP_FAILED || munmap(m, T_PAGE) != 0;
	}
	wrong += errno != T_ERRNO;
	signals++;
	setitimer(ITIMER_REAL, &soon, NULL);
	errno = saved;
}

int main(void)
{
	static char from[10000];
	time_t end;
	char *m;

	fd = t_open("data", 8 * T_PAGE);
	p = t_map_synced(fd, 4 * T_PAGE);
	q = mmap(NULL, 4 * T_PAGE, T_RW, MAP_SHARED, fd, 4 * T_PAGE);
	signal(SIGALRM, handler);
	setitimer(ITIMER_REAL, &soon, NULL);
	end = time(NULL) + 2;
	for (int i = 0; time(NULL) <= end || signals < ENOUGH; i++) {
		memset(from, i, sizeof(from));
		memmove(p + 3, from, sizeof(from));
		wrong += memcmp(p + 3, from, sizeof(from)) != 0;
		errno = T_ERRNO;
		wrong += msync(p, 4 * T_PAGE, MS_SYNC) != 0;
		m = mmap(NULL, 2 * T_PAGE, T_RW, MAP_SHARED, fd, 0);
		wrong += m == MAP_FAILED || mprotect(m, T_PAGE, PROT_READ) != 0;
		wrong += munmap(m, 2 * T_PAGE) != 0;
		wrong += errno != T_ERRNO;
	}
	signal(SIGALRM, SIG_IGN);
	setitimer(ITIMER_REAL, &never, NULL);
	printf("%ld wrong\n", wrong);
	return 0;
}
