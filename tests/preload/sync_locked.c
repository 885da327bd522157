/* SPDX-License-Identifier: BSD-3-Clause */
/* EBUSY is due for locked pages only. */
#include "t_preload.h"

static void lock(const char *how, char *p)
{
	if (!strcmp(how, "mlock"))
		SAY(mlock(p, T_PAGE));
	if (!strcmp(how, "mlock2"))
		SAY(mlock2(p, T_PAGE, MLOCK_ONFAULT));
	if (!strcmp(how, "mlockall"))
		SAY(mlockall(MCL_CURRENT));
	if (!strcmp(how, "map_locked")) {
		SAY(mmap(NULL, T_PAGE, T_RW,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) !=
		    MAP_FAILED);
		SAY(syscall(SYS_mlock, p, T_PAGE));
	}
}

int main(int argc, char **argv)
{
	char *p = t_map_synced(t_open("data", 4 * T_PAGE), 4 * T_PAGE);

	SAY(msync(p, 4 * T_PAGE, MS_SYNC | MS_INVALIDATE));
	SAY(msync(p, 4 * T_PAGE, MS_INVALIDATE));
	lock(argv[argc - 1], p);
	SAY(msync(p, 4 * T_PAGE, MS_SYNC | MS_INVALIDATE));
	SAY(msync(p, 4 * T_PAGE, MS_INVALIDATE));
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(munlockall());
	SAY(msync(p, 4 * T_PAGE, MS_SYNC | MS_INVALIDATE));
	SAY(msync(p, T_PAGE, MS_SYNC | MS_INVALIDATE));
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, MS_SYNC));
	return 0;
}
