/* SPDX-License-Identifier: BSD-3-Clause */
/* By this process and by another one. */
#include "t_preload.h"

int main(void)
{
	int fd = t_open("data", T_PAGE);
	struct stat before, after;
	char *p;
	pid_t child;

	T_REQUIRE(fallocate(fd, 0, 0, 4 * T_PAGE) == 0);
	p = mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 0);
	p[0] = 1;
	t_tick();
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, MS_SYNC));
	fstat(fd, &before);
	SAY(pwrite(fd, "x", 1, 3 * T_PAGE));
	fstat(fd, &after);
	SAY(before.st_blocks == after.st_blocks && before.st_size == after.st_size);
	t_tick();
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, MS_SYNC));
	child = fork();
	if (child == 0)
		_exit(pwrite(fd, "y", 1, 2 * T_PAGE) != 1);
	SAY(t_wait(child));
	t_tick();
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, MS_SYNC));
	return 0;
}
