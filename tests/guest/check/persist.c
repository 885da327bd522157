/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * persist FILE TIMES COPY: map FILE (made 1 MiB long unless it is a device),
 * then TIMES times store to a page, copy COPY bytes (0: none) through memcpy
 * to the page behind it, and msync both. Afterwards every byte is compared.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, ROOM = 16 * PAGE, SPAN = 2 << 20 };

/* A call even where the compiler would rather copy inline. */
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;

int main(int argc, char **argv)
{
	static char source[ROOM];
	unsigned long refused = 0;
	struct stat st;
	size_t len;
	int fd, times;
	char *p;

	if (argc != 4)
		return 2;
	times = atoi(argv[2]);
	len = (size_t)atol(argv[3]);
	fd = open(argv[1], O_RDWR | O_CREAT, 0644);
	if (fd < 0 || fstat(fd, &st) || len > sizeof(source) ||
	    (S_ISREG(st.st_mode) && posix_fallocate(fd, 0, SPAN))) {
		perror(argv[1]);
		return 2;
	}
	p = mmap(NULL, SPAN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	for (int i = 0; i < times; i++) {
		volatile char *page = p + (i % 8) * 2 * ROOM;
		char *behind = (char *)page + PAGE;

		for (int k = 0; k < PAGE; k += 64)
			page[k] = (char)i;
		for (size_t k = 0; k < len; k++)
			source[k] = (char)(i + (int)k);
		/* Unaligned, to have a head and a tail. */
		if (len)
			copy(behind + 13, source, len);
		if (msync((char *)page, PAGE + (len ? ROOM : 0), MS_SYNC))
			refused++;
		for (size_t k = 0; k < len; k++)
			if (behind[13 + k] != (char)(i + (int)k))
				return 3;
	}
	printf("msync refused: %lu of %d\n", refused, times);
	return 0;
}
