/* SPDX-License-Identifier: BSD-3-Clause */
/* A handler that stores and syncs interrupts a program that does the same. */
#include "t_preload.h"

enum { PAGES = 256, LEN = PAGES * 4096, SYNCS = 400 };

static char *p;
static volatile int handled;

static void handler(int number)
{
	int saved = errno;

	(void)number;
	p[(handled % PAGES) * 4096]++;
	if (msync(p, LEN, MS_SYNC))
		_exit(97);
	handled++;
	errno = saved;
}

int main(void)
{
	struct sigaction action = { .sa_handler = handler };
	/* Armed anew each time: a slow machine must get on between two. */
	struct itimerval once = { 0 };

	p = t_map_synced(t_open("data", LEN), LEN);
	T_REQUIRE(sigaction(SIGALRM, &action, NULL) == 0);
	for (int i = 0; i < SYNCS || handled < 100; i++) {
		once.it_value.tv_usec = 20 + i % 50 * 10;
		T_REQUIRE(setitimer(ITIMER_REAL, &once, NULL) == 0);
		p[(i * 5 % PAGES) * 4096]++;
		T_REQUIRE(msync(p, LEN, MS_SYNC) == 0);
	}
	once.it_value.tv_usec = 0;
	T_REQUIRE(setitimer(ITIMER_REAL, &once, NULL) == 0);
	SAY(msync(p, LEN, MS_SYNC));
	return 0;
}
