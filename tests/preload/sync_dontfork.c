/* SPDX-License-Identifier: BSD-3-Clause */
/* The second page of four is withheld. */
#include "t_preload.h"

static void child(char *p, int withheld)
{
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	if (withheld)
		SAY(msync(p + T_PAGE, T_PAGE, MS_SYNC));
	exit(0);
}

int main(void)
{
	char *p = t_map_synced(t_open("data", 4 * T_PAGE), 4 * T_PAGE);

	SAY(madvise(p + T_PAGE, T_PAGE, MADV_DONTFORK));
	if (fork() == 0)
		child(p, 1);
	wait(NULL);
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(madvise(p + T_PAGE, T_PAGE, MADV_DOFORK));
	if (fork() == 0)
		child(p, 0);
	wait(NULL);
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	return 0;
}
