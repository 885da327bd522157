/* SPDX-License-Identifier: BSD-3-Clause */
/* Two threads map, sync and unmap; 200 forks. */
#include "t_preload.h"

static _Atomic int stop;

static void *churn(void *arg)
{
	int fd = t_open(arg, 4 * T_PAGE);

	while (!stop) {
		char *p = mmap(NULL, 4 * T_PAGE, T_RW, MAP_SHARED, fd, 0);

		p[0] = 1;
		T_REQUIRE(msync(p, T_PAGE, MS_SYNC) == 0);
		T_REQUIRE(mprotect(p + T_PAGE, T_PAGE, PROT_READ) == 0);
		T_REQUIRE(munmap(p, 4 * T_PAGE) == 0);
	}
	return NULL;
}

static void child(char *p, int fd)
{
	char *q;

	alarm(20);
	p[1] = 2;
	T_REQUIRE(msync(p, 4 * T_PAGE, MS_SYNC) == 0);
	q = mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 0);
	T_REQUIRE(q != MAP_FAILED && msync(q, T_PAGE, MS_SYNC) == 0);
	memset(q, 7, T_PAGE);
	T_REQUIRE(munmap(q, T_PAGE) == 0);
	exit(5);
}

int main(void)
{
	pthread_t threads[2];
	int fd = t_open("data", 4 * T_PAGE), right = 0;
	char *p = t_map_synced(fd, 4 * T_PAGE);

	pthread_create(&threads[0], NULL, churn, "a");
	pthread_create(&threads[1], NULL, churn, "b");
	for (int i = 0; i < 200; i++) {
		pid_t pid = fork();

		if (pid == 0)
			child(p, fd);
		right += t_wait(pid) == 5;
	}
	stop = 1;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	printf("right %d\n", right);
	return 0;
}
