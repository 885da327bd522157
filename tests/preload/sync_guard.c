/* SPDX-License-Identifier: BSD-3-Clause */
/* A guard in the second page of four. */
#include "t_preload.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#define MADV_GUARD_REMOVE	103
#endif

int main(void)
{
	char *p = t_map_synced(t_open("data", 4 * T_PAGE), 4 * T_PAGE);

	SAY(madvise(p + T_PAGE, T_PAGE, MADV_GUARD_INSTALL));
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(msync(p + T_PAGE, T_PAGE, MS_SYNC));
	SAY(madvise(p + T_PAGE, T_PAGE, MADV_GUARD_REMOVE));
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	return 0;
}
