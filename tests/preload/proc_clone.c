/* SPDX-License-Identifier: BSD-3-Clause */
/* Made by clone(2), past libc: argv[1] says with what. */
#include "t_preload.h"

#include <sched.h>

static char *p, *q;
static int fd;
static int said[16];
static volatile int done;

/* What the other one does in memory that both share; libc's stdio stays out. */
static int use(void *arg)
{
	int *say = said;

	(void)arg;
	memset(p, 9, 2 * T_PAGE);
	*say++ = msync(p, 4 * T_PAGE, MS_SYNC);
	*say++ = msync(p + 1, T_PAGE, MS_SYNC);
	q = mmap(NULL, 2 * T_PAGE, T_RW, MAP_SHARED, fd, 0);
	*say++ = q == MAP_FAILED;
	*say++ = msync(q, T_PAGE, MS_SYNC);
	*say++ = msync(q, T_PAGE, MS_SYNC);
	*say++ = mprotect(q + T_PAGE, T_PAGE, PROT_NONE);
	*say++ = munmap(p + 3 * T_PAGE, T_PAGE);
	memcpy(q + 5, p, 3000);
	done = 1;
	return 8;
}

int main(int argc, char **argv)
{
	static char stack[1 << 18] __attribute__((aligned(16)));
	const char *how = argv[argc - 1];
	int thread = !strcmp(how, "thread"), child;
	int flags = !strcmp(how, "vfork") ? CLONE_VM | CLONE_VFORK | SIGCHLD
		  : thread ? CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			     CLONE_THREAD | CLONE_SYSVSEM
		  : CLONE_VM | SIGCHLD;

	fd = t_open("data", 4 * T_PAGE);
	p = t_map_synced(fd, 4 * T_PAGE);
	child = clone(use, stack + sizeof(stack), flags, NULL);
	T_REQUIRE(child > 0);
	/* libc's thread pointer is shared: one at a time. */
	while (!done)
		syscall(SYS_sched_yield);
	if (thread)
		usleep(20000);
	else
		SAY(t_wait(child));
	for (int i = 0; i < 7; i++)
		printf("%d ", said[i]);
	printf("\n");
	fflush(stdout);
	/* Its changes are this process's, too. */
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(msync(p, 3 * T_PAGE, MS_SYNC));
	SAY(msync(q, T_PAGE, MS_SYNC));
	SAY(msync(q, 2 * T_PAGE, MS_SYNC));
	SAY(q[5] == 9);
	return 0;
}
