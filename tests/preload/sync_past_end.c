/* SPDX-License-Identifier: BSD-3-Clause */
/* A page and a half of file in four pages of mapping. */
#include "t_preload.h"

int main(void)
{
	int fd = t_open("data", T_PAGE + T_PAGE / 2);
	char *p = mmap(NULL, 4 * T_PAGE, T_RW, MAP_SHARED, fd, 0);

	p[0] = 1;
	p[T_PAGE] = 1;
	t_tick();
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(msync(p + 2 * T_PAGE, 2 * T_PAGE, MS_SYNC));
	SAY(msync(p + T_PAGE, T_PAGE, MS_SYNC));
	return 0;
}
