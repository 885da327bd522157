/* SPDX-License-Identifier: BSD-3-Clause */
/* PROT_NONE in part and in whole, read-only by mprotect and by mmap, write-only. */
#include "t_preload.h"

int main(void)
{
	int fd = t_open("data", 4 * T_PAGE);
	char *p = t_map_synced(fd, 4 * T_PAGE);
	char *q;

	SAY(mprotect(p + T_PAGE, T_PAGE, PROT_NONE));
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(msync(p, 4 * T_PAGE, MS_ASYNC));
	SAY(msync(p + T_PAGE, T_PAGE, MS_SYNC));
	SAY(msync(p + 2 * T_PAGE, T_PAGE, MS_SYNC));
	SAY(mprotect(p, 4 * T_PAGE, PROT_READ));
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(mprotect(p, 4 * T_PAGE, T_RW));
	t_tick();
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	/* fails, and the kernel has changed the first page by then */
	SAY(munmap(p + 3 * T_PAGE, T_PAGE));
	SAY(mprotect(p + 2 * T_PAGE, 2 * T_PAGE, PROT_NONE));
	SAY(msync(p + 2 * T_PAGE, T_PAGE, MS_SYNC));
	SAY_MAP(q, mmap(NULL, T_PAGE, PROT_READ, MAP_SHARED, fd, 0));
	SAY(msync(q, T_PAGE, MS_SYNC));
	SAY(msync(q, T_PAGE, MS_SYNC));
	SAY_MAP(q, mmap(NULL, T_PAGE, PROT_NONE, MAP_SHARED, fd, 0));
	SAY(msync(q, T_PAGE, MS_SYNC));
	SAY_MAP(q, mmap(NULL, T_PAGE, PROT_WRITE, MAP_SHARED, fd, 0));
	SAY(msync(q, T_PAGE, MS_SYNC));
	SAY(mprotect(p, T_PAGE, T_RW | PROT_GROWSDOWN));
	SAY_MAP(q, mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 0));
	SAY(msync(q, T_PAGE, MS_SYNC));
	return 0;
}
