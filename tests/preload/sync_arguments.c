/* SPDX-License-Identifier: BSD-3-Clause */
/* Every call below is on a tracked mapping. */
#include "t_preload.h"

int main(void)
{
	char *p = t_map_synced(t_open("data", 4 * T_PAGE), 4 * T_PAGE);
	const size_t whole = (size_t)-1;

	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, 8));
	SAY(msync(p, T_PAGE, MS_SYNC | 0x100));
	SAY(msync(p, T_PAGE, -1));
	SAY(msync(p, T_PAGE, MS_SYNC | MS_ASYNC));
	SAY(msync(p, T_PAGE, MS_SYNC | MS_ASYNC | MS_INVALIDATE));
	SAY(msync(p + 1, T_PAGE, MS_SYNC));
	SAY(msync(p + 4095, 0, MS_SYNC));
	SAY(msync(p + 64, T_PAGE, MS_SYNC | MS_ASYNC));
	/* wraps to nothing, as the kernel rounds */
	SAY(msync(p, 0, MS_SYNC));
	SAY(msync(p, 0, MS_ASYNC));
	SAY(msync(p, whole, MS_SYNC));
	SAY(msync(p, whole - 4094, MS_SYNC));
	/* the end is before the start: ENOMEM */
	SAY(msync(p, whole - 4095, MS_SYNC));
	SAY(msync(p, whole - 4096, MS_ASYNC));
	/* orders nothing */
	SAY(msync(p, T_PAGE, MS_ASYNC));
	SAY(msync(p, T_PAGE, 0));
	SAY(msync(p, 4 * T_PAGE, MS_ASYNC | MS_INVALIDATE));
	/* a length that is no multiple of a page */
	SAY(msync(p, 1, MS_SYNC));
	SAY(msync(p + T_PAGE, T_PAGE + 1, MS_SYNC | MS_INVALIDATE));
	return 0;
}
