/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * copy_blocks: copy a file block by block into a mapping, with one msync at
 * the end: the shape of most programs that fill a mapped file.
 *
 *	copy_blocks FROM TO
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 4096

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

int main(int argc, char **argv)
{
	static char block[BLOCK];
	struct stat st;
	ssize_t n;
	size_t len, done;
	char *to;
	int in, out;

	if (argc != 3) {
		fprintf(stderr, "usage: %s FROM TO\n", argv[0]);
		return 2;
	}
	in = open(argv[1], O_RDONLY);
	if (in < 0 || fstat(in, &st))
		fail(argv[1]);
	len = (size_t)st.st_size;
	out = open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0666);
	if (out < 0 || ftruncate(out, st.st_size))
		fail(argv[2]);
	if (len == 0)
		return 0;

	to = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, out, 0);
	if (to == MAP_FAILED)
		fail("mmap");
	for (done = 0; done < len; done += (size_t)n) {
		n = read(in, block, len - done < BLOCK ? len - done : BLOCK);
		if (n <= 0)
			fail(argv[1]);
		memcpy(to + done, block, (size_t)n);
	}
	if (msync(to, len, MS_SYNC))
		fail("msync");
	return 0;
}
