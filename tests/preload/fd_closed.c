/* SPDX-License-Identifier: BSD-3-Clause */
/* argv[1] says how, and what happens then. */
#include "t_preload.h"

int main(int argc, char **argv)
{
	const char *how = argv[argc - 1];
	int fd = t_open("data", 4 * T_PAGE), other;
	char *p = t_map_synced(fd, 4 * T_PAGE), *q;
	struct rlimit limit;
	int last;

	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	getrlimit(RLIMIT_NOFILE, &limit);
	last = limit.rlim_cur < 5000 ? (int)limit.rlim_cur : 5000;
	if (!strcmp(how, "loop"))
		for (int i = 3; i < last; i++)
			close(i);
	else
		close_range(3, ~0u, 0);
	if (!strcmp(how, "taken")) {
		/* not ours to close, whatever the shim thinks of the number */
		other = open("/dev/null", O_RDWR);
		for (int i = 4; i < last; i++)
			dup2(other, i);
		SAY(msync(p, T_PAGE, MS_SYNC));
		SAY(msync(p, T_PAGE, MS_SYNC));
		SAY(munmap(p, 4 * T_PAGE));
		for (int i = other; i < last; i++)
			if (fcntl(i, F_GETFD) < 0)
				printf("descriptor %d was closed\n", i);
		/* one for the statistics */
		close(other);
		return 0;
	}
	if (!strcmp(how, "renewed")) {
		SAY(msync(p, T_PAGE, MS_SYNC));
		fd = t_open("data", 0);
		q = t_map_synced(fd, T_PAGE);
		SAY(msync(q, T_PAGE, MS_SYNC));
		SAY(msync(p, T_PAGE, MS_SYNC));
		return 0;
	}
	SAY(open("/dev/null", O_RDWR));
	SAY(open("/dev/null", O_RDWR));
	p[0] = 1;
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p + T_PAGE, T_PAGE, MS_SYNC));
	SAY(msync(p + T_PAGE, T_PAGE, MS_ASYNC));
	SAY(munmap(p, 4 * T_PAGE));
	SAY(open("/dev/null", O_RDWR));
	return 0;
}
