/* SPDX-License-Identifier: BSD-3-Clause */
/* Two threads keep on. */
#include "t_preload.h"

static char *p;
static int fd;
static _Atomic int rounds;

static void *work(void *arg)
{
	char *q = p + (size_t)arg * T_PAGE, *m;

	for (;;) {
		memset(q, 7, T_PAGE);
		msync(q, T_PAGE, MS_SYNC);
		m = mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 0);
		munmap(m, T_PAGE);
		rounds++;
	}
	return NULL;
}

static void at_exit(void)
{
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
}

__attribute__((destructor)) static void at_end(void)
{
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
}

int main(void)
{
	pthread_t thread;

	fd = t_open("data", 4 * T_PAGE);
	p = t_map_synced(fd, 4 * T_PAGE);
	atexit(at_exit);
	pthread_create(&thread, NULL, work, (void *)1);
	pthread_create(&thread, NULL, work, (void *)2);
	while (rounds < 100)
		usleep(1000);
	return 11;
}
