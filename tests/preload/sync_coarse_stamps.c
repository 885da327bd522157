/* SPDX-License-Identifier: BSD-3-Clause */
/* All of it within one second of the clock. */
#include "t_preload.h"

int main(void)
{
	int fd = t_open("data", T_PAGE);
	struct timespec now;
	char *p;

	T_REQUIRE(fallocate(fd, 0, 0, 4 * T_PAGE) == 0);
	p = mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 0);
	fsync(fd);
	do
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	while (now.tv_nsec > 100000000);
	p[0] = 1;
	t_tick();
	T_REQUIRE(msync(p, T_PAGE, MS_SYNC) == 0);
	t_tick();
	T_REQUIRE(pwrite(fd, "x", 1, 2 * T_PAGE) == 1);
	t_tick();
	T_REQUIRE(msync(p, T_PAGE, MS_SYNC) == 0);
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return 0;
}
