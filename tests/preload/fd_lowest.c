/* SPDX-License-Identifier: BSD-3-Clause */
/* Then runs a program that lists its descriptors. */
#include "t_preload.h"

int main(void)
{
	int fd[3], numbers = 0;
	char name[] = "data0", *p[3];

	for (int i = 0; i < 3; i++) {
		name[4] = (char)('0' + i);
		fd[i] = t_open(name, T_PAGE);
		p[i] = t_map_synced(fd[i], T_PAGE);
		SAY(msync(p[i], T_PAGE, MS_SYNC));
		SAY(fd[i]);
	}
	SAY(munmap(p[1], T_PAGE));
	SAY(close(fd[1]));
	SAY(open("/dev/null", O_RDONLY));
	for (int i = 0; i < 200; i++)
		numbers += fcntl(i, F_GETFD) >= 0;
	printf("numbers %d\n", numbers);
	fflush(stdout);
	/* strace leaves none of its own either */
	if (fork() > 0)
		return wait(NULL) < 0;
	execl("/bin/sh", "sh", "-c", "cd /proc/self/fd && echo [0-9]*", NULL);
	return 1;
}
