/* SPDX-License-Identifier: BSD-3-Clause */
/* The child replaces a tracked mapping by another file, then forks. */
#include "t_preload.h"

int main(void)
{
	char *p = t_map_synced(t_open("data", T_PAGE), T_PAGE);
	int other = t_open_outside("other", T_PAGE);
	pid_t child = _Fork();

	if (child == 0) {
		SAY(munmap(p, T_PAGE));
		SAY(mmap(p, T_PAGE, T_RW, MAP_SHARED, other, 0) == p);
		child = fork();
		if (child == 0) {
			p[0] = 'x';
			SAY(msync(p, T_PAGE, MS_SYNC));
			_exit(6);
		}
		SAY(t_wait(child));
		_exit(5);
	}
	SAY(t_wait(child));
	return 0;
}
