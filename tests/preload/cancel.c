/* SPDX-License-Identifier: BSD-3-Clause */
/* A pending cancellation acts in msync, not in copies or mappings, and not while it is disabled. */
#include "t_preload.h"

static char *p;
static int fd;

static void cleanup(void *arg)
{
	dprintf(1, "cleanup %s\n", (char *)arg);
}

static void *in_msync(void *arg)
{
	(void)arg;
	pthread_cleanup_push(cleanup, "msync");
	pthread_cancel(pthread_self());
	memset(p, 1, T_PAGE);
	munmap(mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 0), T_PAGE);
	mprotect(p, T_PAGE, T_RW);
	msync(p, T_PAGE, MS_SYNC);
	pthread_cleanup_pop(0);
	return (void *)5;
}

static void *disabled(void *arg)
{
	int old;

	(void)arg;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	pthread_cancel(pthread_self());
	SAY(msync(p, T_PAGE, MS_SYNC));
	return (void *)6;
}

static void *refused(void *arg)
{
	(void)arg;
	pthread_cancel(pthread_self());
	msync(p + 1, T_PAGE, MS_SYNC);
	return (void *)7;
}

static long run(void *(*start)(void *))
{
	pthread_t thread;
	void *result;

	pthread_create(&thread, NULL, start, NULL);
	pthread_join(thread, &result);
	return (long)result;
}

int main(void)
{
	fd = t_open("data", 4 * T_PAGE);
	p = t_map_synced(fd, 4 * T_PAGE);
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(run(in_msync));
	SAY(run(disabled));
	SAY(run(refused));
	SAY(msync(p, T_PAGE, MS_SYNC));
	return 0;
}
