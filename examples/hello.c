/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hello: the textbook: open, mmap, strcpy, msync. No persistent-memory
 * library anywhere; run it with LD_PRELOAD=libpmemshim.so.
 *
 *	hello FILE [TEXT]	store TEXT (or "hello, persistent memory") in
 *				FILE and sync it twice: the first msync of a
 *				mapping is the kernel's, the second need not be
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LEN 4096

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

int main(int argc, char **argv)
{
	const char *text = argc > 2 ? argv[2] : "hello, persistent memory";
	char *map;
	int fd;

	if (argc < 2 || strlen(text) >= LEN) {
		fprintf(stderr, "usage: %s FILE [TEXT of less than %d bytes]\n",
			argv[0], LEN);
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_CREAT, 0666);
	if (fd < 0)
		fail(argv[1]);
	if (ftruncate(fd, LEN))
		fail("ftruncate");
	map = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		fail("mmap");
	close(fd);

	for (int i = 0; i < 2; i++) {
		strcpy(map, text);
		if (msync(map, strlen(text) + 1, MS_SYNC))
			fail("msync");
	}
	printf("stored: %s\n", map);
	return 0;
}
