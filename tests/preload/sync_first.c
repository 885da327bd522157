/* SPDX-License-Identifier: BSD-3-Clause */
/* Two mappings of one file, then a new one at the place of an old one. */
#include "t_preload.h"

int main(void)
{
	int fd = t_open("data", 4 * T_PAGE);
	char *p = t_map(fd, 4 * T_PAGE);
	char *q = t_map(fd, 4 * T_PAGE);

	/* MS_ASYNC is no first call: it orders nothing */
	SAY(msync(p, T_PAGE, MS_ASYNC));
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(msync(q, T_PAGE, MS_SYNC));
	SAY(msync(q, T_PAGE, MS_SYNC));
	SAY(munmap(q, 4 * T_PAGE));
	SAY(mmap(q, 4 * T_PAGE, T_RW, MAP_SHARED | MAP_FIXED, fd, 0) == q);
	SAY(msync(q, T_PAGE, MS_SYNC));
	/* over a living one */
	SAY(mmap(p, 4 * T_PAGE, T_RW, MAP_SHARED | MAP_FIXED, fd, 0) == p);
	SAY(msync(p + T_PAGE, T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, MS_SYNC));
	return 0;
}
