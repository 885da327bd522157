/* SPDX-License-Identifier: BSD-3-Clause */
/* 400 threads, each cancelled wherever it is: asynchronously. */
#include "t_preload.h"

static char *p;
static int fd;
static _Atomic int begun, cleanups;

static void cleanup(void *arg)
{
	(void)arg;
	cleanups++;
}

static void *work(void *arg)
{
	char from[3000] = "", *q = p + T_PAGE, *m;

	pthread_cleanup_push(cleanup, NULL);
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	begun = 1;
	for (;;) {
		memcpy(q + 9, from, sizeof(from));
		if (msync(q, 2 * T_PAGE, MS_SYNC))
			_exit(90);
		if (!arg)
			continue;
		/* a mapping that a cancellation leaves is not missed */
		m = mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 0);
		if (m == MAP_FAILED || mprotect(m, T_PAGE, PROT_READ) ||
		    munmap(m, T_PAGE))
			_exit(91);
	}
	pthread_cleanup_pop(0);
	return NULL;
}

int main(void)
{
	int right = 0;

	alarm(300);
	fd = t_open("data", 4 * T_PAGE);
	p = t_map_synced(fd, 4 * T_PAGE);
	for (intptr_t i = 0; i < 400; i++) {
		pthread_t thread;
		void *result;
		char *m;

		begun = 0;
		pthread_create(&thread, NULL, work, (void *)(i % 2));
		while (!begun)
			sched_yield();
		for (int spin = rand() % 20000; spin > 0; spin--)
			__asm__ volatile("");
		pthread_cancel(thread);
		pthread_join(thread, &result);
		/* Nothing is left locked, and no page is lost. */
		right += result == PTHREAD_CANCELED &&
			 msync(p, 4 * T_PAGE, MS_SYNC) == 0;
		/* Not to be cancelled: it would wait for a lock for ever. */
		m = mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 0);
		T_REQUIRE(m != MAP_FAILED && munmap(m, T_PAGE) == 0);
		p[0] = (char)i;
	}
	SAY(right);
	SAY(cleanups);
	return 0;
}
