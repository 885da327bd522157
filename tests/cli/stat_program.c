/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stat_program FILE N [pause | exec]: N msync calls of 8 KiB of FILE. pause:
 * then says "ready" and waits for the end of its input, a call for each byte.
 * exec: then it is sleep(1).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = open(argv[1], O_RDWR | O_CREAT, 0600);
	char *p = MAP_FAILED, byte;

	if (fd >= 0 && ftruncate(fd, 8192) == 0)
		p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		perror(argv[1]);
		return 1;
	}
	for (long i = atol(argv[2]); i > 0; i--) {
		p[0]++;
		if (msync(p, 8192, MS_SYNC))
			return 1;
	}
	if (argc > 3 && !strcmp(argv[3], "pause")) {
		puts("ready");
		fflush(stdout);
		while (read(0, &byte, 1) == 1)
			msync(p, 8192, MS_SYNC);
	}
	if (argc > 3 && !strcmp(argv[3], "exec")) {
		/* Not under the shim any more. */
		unsetenv("LD_PRELOAD");
		execlp("sleep", "sleep", "60", NULL);
		return 1;
	}
	return 0;
}
