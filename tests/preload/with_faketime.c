/* SPDX-License-Identifier: BSD-3-Clause */
/* The clock of this process stands; half a second passes. */
#include "t_preload.h"

int main(void)
{
	char *p = t_map_synced(t_open("data", T_PAGE), T_PAGE);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	SAY(now.tv_sec < 1000000000);
	SAY(msync(p, T_PAGE, MS_SYNC));
	usleep(500000);
	SAY(msync(p, T_PAGE, MS_SYNC));
	return 0;
}
