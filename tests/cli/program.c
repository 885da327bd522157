/* SPDX-License-Identifier: BSD-3-Clause */
/* A program that maps the file it is given, copies into it and syncs it ten times. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int work(const char *name)
{
	static char data[4096];
	int fd = open(name, O_RDWR | O_CREAT, 0600);
	char *p;
	int i;

	if (fd < 0 || ftruncate(fd, sizeof(data)) != 0)
		return 1;
	p = mmap(NULL, sizeof(data), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return 1;
	memset(data, 'x', sizeof(data));
	memcpy(p, data, sizeof(data));
	for (i = 0; i < 10; i++) {
		/* A time stamp that is still now can hide a later change. */
		usleep(20000);
		if (msync(p, sizeof(data), MS_SYNC) != 0)
			return 1;
	}
	return munmap(p, sizeof(data));
}

int main(int argc, char **argv)
{
	if (argc > 1 && work(argv[1]) != 0) {
		perror(argv[1]);
		return 1;
	}
	puts("done");
	return argc > 2 ? atoi(argv[2]) : 0;
}
