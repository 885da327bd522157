/* SPDX-License-Identifier: BSD-3-Clause */
/* Another process tests the lock. */
#include "t_preload.h"

static int is_locked(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	pid_t child = fork();

	if (child == 0)
		_exit(fcntl(fd, F_GETLK, &lock) ? 9 : lock.l_type != F_UNLCK);
	return t_wait(child);
}

int main(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = t_open("data", 4 * T_PAGE);
	char *p;

	SAY(fcntl(fd, F_SETLK, &lock));
	SAY(is_locked(fd));
	for (int i = 0; i < 2; i++) {
		p = t_map_synced(fd, 4 * T_PAGE);
		SAY(is_locked(fd));
		SAY(msync(p, 4 * T_PAGE, MS_SYNC));
		SAY(munmap(p, 4 * T_PAGE));
		SAY(is_locked(fd));
	}
	p = t_map_synced(fd, 4 * T_PAGE);
	SAY(mmap(p, 4 * T_PAGE, T_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
	SAY(is_locked(fd));
	return 0;
}
