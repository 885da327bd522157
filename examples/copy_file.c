/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * copy_file: copy a file in one memcpy between two mappings, then msync. Under
 * the shim the memcpy streams past the CPU's caches and is durable when it
 * returns.
 *
 *	copy_file FROM TO
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

int main(int argc, char **argv)
{
	struct stat st;
	char *from, *to;
	size_t len;
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

	from = mmap(NULL, len, PROT_READ, MAP_PRIVATE, in, 0);
	to = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, out, 0);
	if (from == MAP_FAILED || to == MAP_FAILED)
		fail("mmap");
	memcpy(to, from, len);
	if (msync(to, len, MS_SYNC))
		fail("msync");
	return 0;
}
