/* SPDX-License-Identifier: BSD-3-Clause */
/* RLIMIT_NOFILE reached. */
#include "t_preload.h"

int main(void)
{
	int fd = t_open("data", 4 * T_PAGE), last = -1, next;
	struct rlimit limit = { 64, 64 };
	char *p;

	SAY(setrlimit(RLIMIT_NOFILE, &limit));
	while ((next = dup(fd)) >= 0)
		last = next;
	SAY(last);
	SAY_MAP(p, mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 0));
	p[0] = 1;
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(close(last));
	SAY(close(last - 1));
	p = t_map_synced(fd, T_PAGE);
	SAY(msync(p, T_PAGE, MS_SYNC));
	return 0;
}
