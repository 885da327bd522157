/* SPDX-License-Identifier: BSD-3-Clause */
/* argv[1] says how. The child ends by _exit, without statistics. */
#include "t_preload.h"

int main(int argc, char **argv)
{
	int fd = t_open("data", 4 * T_PAGE);
	char *p = t_map_synced(fd, 4 * T_PAGE), *q;
	pid_t child = !strcmp(argv[argc - 1], "_Fork") ? _Fork()
			: (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (child == 0) {
		SAY(msync(p, 4 * T_PAGE, MS_SYNC));
		SAY(msync(p, T_PAGE, MS_SYNC));
		SAY_MAP(q, mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 0));
		SAY(msync(q, T_PAGE, MS_SYNC));
		SAY(munmap(q, T_PAGE));
		_exit(4);
	}
	SAY(t_wait(child));
	SAY(msync(p, T_PAGE, MS_SYNC));
	return 0;
}
