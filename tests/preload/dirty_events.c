/* SPDX-License-Identifier: BSD-3-Clause */
/* A mapping of 100 pages whose dirty pages are known, argv[1], five syncs of one dirty page. */
#include "t_preload.h"

enum { PAGES = 100, LEN = PAGES * 4096, ELSEWHERE = 50 * 4096 };

static char *p;
static int fd;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void *wait_until_free(void *context)
{
	pthread_mutex_lock(&held);
	pthread_mutex_unlock(&held);
	return context;
}

static void store_in(pid_t child)
{
	if (child == 0) {
		p[ELSEWHERE]++;
		_exit(0);
	}
	T_REQUIRE(t_wait(child) == 0);
}

static void happen(const char *event)
{
	pthread_t thread;

	if (strcmp(event, "fork") == 0) {
		store_in(fork());
	} else if (strcmp(event, "vfork") == 0) {
		store_in(vfork());
	} else if (strcmp(event, "second") == 0) {
		char *q = mmap(NULL, LEN, T_RW, MAP_SHARED, fd, 0);

		T_REQUIRE(q != MAP_FAILED);
		q[ELSEWHERE]++;
	} else if (strcmp(event, "remap") == 0) {
		p = mremap(p, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED,
			   mmap(NULL, LEN, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		T_REQUIRE(p != MAP_FAILED);
		p[ELSEWHERE]++;
	} else if (strcmp(event, "write") == 0) {
		T_REQUIRE(pwrite(fd, "x", 1, ELSEWHERE) == 1);
	} else if (strcmp(event, "read") == 0) {
		T_REQUIRE(pread(fd, p + ELSEWHERE, 1, 0) == 1);
	} else if (strcmp(event, "advise") == 0) {
		p[ELSEWHERE]++;
		T_REQUIRE(madvise(p, LEN, MADV_DONTNEED) == 0);
	} else if (strcmp(event, "truncate") == 0) {
		T_REQUIRE(ftruncate(fd, LEN) == 0);
	} else if (strcmp(event, "allocate") == 0) {
		T_REQUIRE(posix_fallocate(fd, 0, LEN) == 0);
	} else if (strcmp(event, "thread") == 0) {
		pthread_mutex_lock(&held);
		T_REQUIRE(pthread_create(&thread, NULL, wait_until_free,
					 NULL) == 0);
	}
}

int main(int argc, char **argv)
{
	fd = t_open("data", LEN);
	p = t_map_synced(fd, LEN);
	SAY(msync(p, LEN, MS_SYNC));
	happen(argv[argc - 1]);
	for (int i = 0; i < 5; i++) {
		p[i * 7 * 4096]++;
		SAY(msync(p, LEN, MS_SYNC));
	}
	/* The pages must still be there to be touched. */
	for (int i = 0; i < LEN; i += 4096)
		p[i]++;
	SAY(p[ELSEWHERE] != 0);
	return 0;
}
