/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forbids system calls, by number, and goes on: "self kill|trap|ERRNO NUMBER..."
 * or "PROGRAM ERRNO NUMBER...", which runs PROGRAM, with the shim, under the
 * filter. Without arguments it only works.
 */
#include "t_preload.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

static void forbid(char **numbers, int n, unsigned int action)
{
	struct sock_filter code[128] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = { .filter = code };
	int len = 1;

	for (int i = 0; i < n; i++) {
		code[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
				(unsigned int)atoi(numbers[i]), 0, 1);
		code[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
	}
	code[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)len;
	T_REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	T_REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void *sync_page(void *p)
{
	return (void *)(long)msync(p, T_PAGE, MS_SYNC);
}

static void use(int fd, char *p)
{
	pthread_t thread;
	void *result;
	char *q;

	t_tick();
	SAY(msync(p, T_PAGE, MS_SYNC));
	memset(p, 3, 3 * T_PAGE);
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY_MAP(q, mmap(NULL, 4 * T_PAGE, T_RW, MAP_SHARED, fd, 0));
	q[T_PAGE] = 4;
	SAY(p[T_PAGE]);
	SAY(msync(q, 2 * T_PAGE, MS_SYNC));
	SAY(msync(q, 2 * T_PAGE, MS_SYNC));
	SAY_MAP(q, mmap(q, T_PAGE, T_RW, MAP_SHARED | MAP_FIXED, fd, 0));
	SAY(msync(q, T_PAGE, MS_SYNC));
	SAY_MAP(q, mremap(q, 4 * T_PAGE, 8 * T_PAGE, MREMAP_MAYMOVE));
	SAY(mprotect(p, T_PAGE, PROT_READ));
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(mprotect(p, T_PAGE, T_RW));
	SAY(pthread_create(&thread, NULL, sync_page, p));
	SAY(pthread_join(thread, &result));
	SAY(result);
	SAY(ftruncate(fd, T_PAGE));
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(munmap(p, 4 * T_PAGE));
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(close(fd));
}

/* self|PROGRAM kill|ERRNO NUMBER... */
int main(int argc, char **argv)
{
	char *p;
	int fd;

	if (argc > 3 && strcmp(argv[1], "self")) {
		forbid(argv + 3, argc - 3, SECCOMP_RET_ERRNO | (unsigned int)atoi(argv[2]));
		/* what comes now is loaded under the filter, and the shim with it */
		setenv("LD_PRELOAD", getenv("T_PRELOADED") ? getenv("T_PRELOADED") : "", 1);
		execl(argv[1], argv[1], (char *)NULL);
		t_die("execl", __LINE__);
	}
	fd = t_open("data", 4 * T_PAGE);
	if (argc == 1) {
		use(fd, t_map(fd, 4 * T_PAGE));
		return 0;
	}
	p = t_map_synced(fd, 4 * T_PAGE);
	SAY(msync(p, T_PAGE, MS_SYNC));
	fflush(stdout);
	forbid(argv + 3, argc - 3, !strcmp(argv[2], "kill") ? SECCOMP_RET_KILL_PROCESS :
	       !strcmp(argv[2], "trap") ? SECCOMP_RET_TRAP :
	       SECCOMP_RET_ERRNO | (unsigned int)atoi(argv[2]));
	use(fd, p);
	return 0;
}
