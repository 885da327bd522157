/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ab_syncer FILE SYNCS THINK_NS PAGES: stores into each of PAGES pages of
 * FILE, syncs them, then spins for THINK_NS; SYNCS times. Prints how many
 * msync calls it made.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

int main(int argc, char **argv)
{
	long syncs, think, pages, start;
	volatile char *map;
	int fd;

	if (argc != 5)
		return 2;
	syncs = atol(argv[2]);
	think = atol(argv[3]);
	pages = atol(argv[4]);
	fd = open(argv[1], O_RDWR | O_CREAT, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, pages * 4096))
		return 1;
	map = mmap(NULL, (size_t)pages * 4096, PROT_READ | PROT_WRITE,
		   MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return 1;
	for (long i = 0; i < syncs; i++) {
		for (long page = 0; page < pages; page++)
			map[page * 4096] = (char)i;
		if (msync((void *)map, (size_t)pages * 4096, MS_SYNC))
			return 1;
		for (start = now(); now() - start < think;)
			;
	}
	printf("%ld\n", syncs);
	return 0;
}
