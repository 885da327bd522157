/* SPDX-License-Identifier: BSD-3-Clause */
/* The child ends by exit. */
#include "t_preload.h"

int main(void)
{
	char *p = t_map_synced(t_open("data", T_PAGE), T_PAGE);
	pid_t child;

	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, MS_SYNC));
	child = _Fork();
	if (child == 0)
		exit(3);
	SAY(t_wait(child));
	return 0;
}
