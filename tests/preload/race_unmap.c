/* SPDX-License-Identifier: BSD-3-Clause */
/* Two seconds; argv[1] is what the other thread does. */
#include "t_preload.h"

#define LEN (512 * T_PAGE)

static char *p;
static int fd;
static _Atomic int stop;

static void *sync_all(void *arg)
{
	(void)arg;
	while (!stop)
		msync(p, LEN, MS_SYNC);	/* 0, or ENOMEM */
	return NULL;
}

int main(int argc, char **argv)
{
	int unmap = !strcmp(argv[argc - 1], "munmap");
	time_t end = time(NULL) + 2;
	pthread_t thread[3];

	fd = t_open("data", LEN);
	p = t_map_synced(fd, LEN);
	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, sync_all, NULL);
	while (time(NULL) <= end) {
		T_REQUIRE((unmap ? munmap(p, LEN) : mprotect(p, LEN, PROT_NONE)) == 0);
		if (unmap)
			T_REQUIRE(mmap(p, LEN, T_RW, MAP_SHARED | MAP_POPULATE | MAP_FIXED_NOREPLACE, fd, 0) == p);
		else
			T_REQUIRE(mprotect(p, LEN, T_RW) == 0);
		usleep((useconds_t)(rand() % 1500));
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	printf("alive\n");
	return 0;
}
