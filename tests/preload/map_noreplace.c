/* SPDX-License-Identifier: BSD-3-Clause */
/* What was there stays as it was. */
#include "t_preload.h"

int main(void)
{
	const int flags = MAP_SHARED | MAP_FIXED_NOREPLACE;
	int fd = t_open("data", 4 * T_PAGE);
	char *r = mmap(NULL, 8 * T_PAGE, T_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p;

	r[0] = 'r';
	munmap(r + 4 * T_PAGE, 4 * T_PAGE);
	SAY_MAP(p, mmap(r, T_PAGE, T_RW, flags, fd, 0));
	SAY_MAP(p, mmap(r + 3 * T_PAGE, 2 * T_PAGE, T_RW, flags, fd, 0));
	SAY_MAP(p, mmap(r, T_PAGE, T_RW, flags | MAP_FIXED, fd, 0));
	SAY(r[0]);
	SAY_MAP(p, mmap(r + 4 * T_PAGE + 1, T_PAGE, T_RW, flags, fd, 0));
	SAY_MAP(p, mmap(NULL, T_PAGE, T_RW, flags, fd, 0));
	SAY_MAP(p, mmap((void *)((uintptr_t)1 << 60), T_PAGE, T_RW, flags, fd, 0));
	SAY_MAP(p, mmap(r + 4 * T_PAGE, T_PAGE, T_RW, flags, fd, 0));
	SAY(p == r + 4 * T_PAGE);
	p[0] = 2;
	t_tick();
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY_MAP(p, mmap(r + 4 * T_PAGE, T_PAGE, T_RW, flags, fd, T_PAGE));
	SAY(msync(r + 4 * T_PAGE, T_PAGE, MS_SYNC));
	return 0;
}
