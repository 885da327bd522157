/* SPDX-License-Identifier: BSD-3-Clause */
/* The range's head, hole and tail in turn. */
#include "t_preload.h"

int main(void)
{
	char *p = t_map_synced(t_open("data", 8 * T_PAGE), 8 * T_PAGE);

	SAY(munmap(p + 7 * T_PAGE, T_PAGE));
	SAY(msync(p, 7 * T_PAGE, MS_SYNC));
	SAY(msync(p, 8 * T_PAGE, MS_SYNC));
	SAY(munmap(p + 2 * T_PAGE, T_PAGE));
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(msync(p, 4 * T_PAGE, MS_ASYNC));
	SAY(msync(p, 4 * T_PAGE, 0));
	SAY(msync(p, 2 * T_PAGE, MS_SYNC));
	SAY(msync(p + 2 * T_PAGE, T_PAGE, MS_SYNC));
	SAY(msync(p + 3 * T_PAGE, 4 * T_PAGE, MS_SYNC));
	SAY(mmap(p + 2 * T_PAGE, T_PAGE, T_RW,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	    p + 2 * T_PAGE);
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(msync(p + 2 * T_PAGE, 3 * T_PAGE, MS_SYNC));
	/* to the end of the address space */
	SAY(msync(p, (size_t)-8192 - (size_t)p, MS_SYNC));
	return 0;
}
