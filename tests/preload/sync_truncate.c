/* SPDX-License-Identifier: BSD-3-Clause */
/* By this process, by another one, to nothing and back. */
#include "t_preload.h"

static void by_another(int fd, off_t size)
{
	pid_t child = fork();

	if (child == 0)
		_exit(ftruncate(fd, size) != 0);
	SAY(t_wait(child));
}

int main(void)
{
	int fd = t_open("data", 4 * T_PAGE);
	char *p = t_map_synced(fd, 4 * T_PAGE);
	static const off_t sizes[] = { T_PAGE + 1, 0, T_PAGE, 4 * T_PAGE };

	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	for (int i = 0; i < 4; i++) {
		SAY(ftruncate(fd, sizes[i]));
		t_tick();
		SAY(msync(p, 4 * T_PAGE, MS_SYNC));
		SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	}
	by_another(fd, 2 * T_PAGE);
	t_tick();
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	/* a hole punched keeps the size and not the blocks */
	SAY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	t_tick();
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	return 0;
}
