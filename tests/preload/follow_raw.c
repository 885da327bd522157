/* SPDX-License-Identifier: BSD-3-Clause */
/* syscall(SYS_munmap), then a file without a rule, anonymous memory and a shared segment. */
#include "t_preload.h"

int main(void)
{
	char *p = t_map_synced(t_open("data", 4 * T_PAGE), 4 * T_PAGE);
	int other = t_open_outside("other", 4 * T_PAGE);
	int id = shmget(IPC_PRIVATE, T_PAGE, 0600);

	SAY(syscall(SYS_munmap, p, 3 * T_PAGE));
	SAY(mmap(p, T_PAGE, T_RW, MAP_SHARED, other, 0) == p);
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(mmap(p + T_PAGE, T_PAGE, T_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0) ==
	    p + T_PAGE);
	SAY(msync(p + T_PAGE, T_PAGE, MS_SYNC));
	SAY(shmat(id, p + 2 * T_PAGE, 0) == p + 2 * T_PAGE);
	SAY(msync(p + 2 * T_PAGE, T_PAGE, MS_SYNC));
	SAY(msync(p + 3 * T_PAGE, T_PAGE, MS_SYNC));
	shmctl(id, IPC_RMID, NULL);
	return 0;
}
