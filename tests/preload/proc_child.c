/* SPDX-License-Identifier: BSD-3-Clause */
/* One child. */
#include "t_preload.h"

int main(void)
{
	int fd = t_open("data", 4 * T_PAGE);
	char *p = t_map_synced(fd, 4 * T_PAGE), *q;

	SAY(msync(p, T_PAGE, MS_SYNC));
	if (fork() == 0) {
		SAY(msync(p, 4 * T_PAGE, MS_SYNC));
		q = t_map_synced(fd, T_PAGE);
		SAY(msync(q, T_PAGE, MS_SYNC));
		exit(0);
	}
	wait(NULL);
	SAY(msync(p, T_PAGE, MS_SYNC));
	return 0;
}
