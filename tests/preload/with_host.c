/* SPDX-License-Identifier: BSD-3-Clause */
/* A bit of everything, for runs inside or beside other tools. */
#include "t_preload.h"

static void *work(void *p)
{
	memset(p, 9, 3000);
	return (void *)(long)msync(p, T_PAGE, MS_SYNC);
}

int main(void)
{
	int fd = t_open("data", 16 * T_PAGE);
	char *p = t_map_synced(fd, 16 * T_PAGE), *q = malloc(5000), *r;
	pthread_t thread;
	void *result;
	pid_t child;

	memset(q, 'q', 5000);
	memcpy(p + 100, q, 5000);
	SAY(memcmp(p + 100, q, 5000));
	SAY(msync(p, 16 * T_PAGE, MS_SYNC));
	pthread_create(&thread, NULL, work, p + 4 * T_PAGE);
	pthread_join(thread, &result);
	SAY(result);
	SAY_MAP(r, mremap(p, 16 * T_PAGE, 8 * T_PAGE, 0));
	SAY(r == p);
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, MS_SYNC | MS_ASYNC));
	child = fork();
	if (child == 0)
		exit(msync(p, T_PAGE, MS_SYNC) ? 1 : 5);
	SAY(t_wait(child));
	free(q);
	SAY(munmap(p, 8 * T_PAGE));
	return 7;
}
