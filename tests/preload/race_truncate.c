/* SPDX-License-Identifier: BSD-3-Clause */
/* Two seconds; argv[1] is how the file's end is taken away, and comes back. */
#include "t_preload.h"

#define LEN (512 * T_PAGE)

static char *p;
static int fd;
static _Atomic int stop;

static void *sync_all(void *arg)
{
	(void)arg;
	while (!stop)
		T_REQUIRE(msync(p, LEN, MS_SYNC) == 0);
	return NULL;
}

static int shorten(const char *how)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/data", getenv("T_FILES"));
	if (!strcmp(how, "ftruncate"))
		return ftruncate(fd, (off_t)T_PAGE);
	if (!strcmp(how, "truncate"))
		return truncate(path, (off_t)T_PAGE);
	return fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, LEN - (off_t)T_PAGE);
}

int main(int argc, char **argv)
{
	const char *how = argv[argc - 1];
	time_t end = time(NULL) + 2;
	pthread_t thread[2];

	fd = t_open("data", LEN);
	p = t_map_synced(fd, LEN);
	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, sync_all, NULL);
	while (time(NULL) <= end) {
		if (shorten(how)) {
			T_REQUIRE(errno == EOPNOTSUPP);
			stop = 1;
			break;
		}
		T_REQUIRE(fallocate(fd, 0, 0, LEN) == 0);
		/* until ctime is settled the kernel has most of it */
		usleep((useconds_t)(10000 + rand() % 5000));
	}
	printf("%s\n", stop ? "not here" : "alive");
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
