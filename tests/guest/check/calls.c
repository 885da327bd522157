/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * calls KIND FILE: the mapping calls, once each, on one kind of mapping:
 * shared, read, private or anonymous. Prints every answer. What lies between
 * two calls of getppid(2) is compared under strace, without the shim and with.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

struct answer {
	const char *what;
	long result;
	int error;
};

/* Printed at the end: printing makes system calls of its own. */
static struct answer answers[64];
static size_t n;

static void note(const char *what, long result)
{
	answers[n++] = (struct answer){ what, result, result ? errno : 0 };
}

static void touch(volatile char *p, size_t len, int value)
{
	for (size_t i = 0; i < len; i += 64)
		p[i] = (char)value;
}

static void use(char *p, int prot)
{
	if (prot & PROT_WRITE)
		touch(p, 8 * PAGE, 'a');
	note("msync of a page", msync(p, PAGE, MS_SYNC));
	note("msync of three", msync(p + PAGE, 3 * PAGE, MS_SYNC));
	note("msync again", msync(p, PAGE, MS_SYNC));
	note("MS_INVALIDATE", msync(p, 100, MS_SYNC | MS_INVALIDATE));
	note("MS_ASYNC", msync(p, PAGE, MS_ASYNC));
	note("no flag", msync(p, PAGE, 0));
	note("no length", msync(p, 0, MS_SYNC));
	note("unaligned", msync(p + 1, PAGE, MS_SYNC));
	note("both flags", msync(p, PAGE, MS_SYNC | MS_ASYNC));
	note("unknown flag", msync(p, PAGE, 0x80));
	note("wrapping", msync(p, (size_t)-2 * PAGE, MS_SYNC));
	note("mprotect", mprotect(p + PAGE, PAGE, PROT_NONE));
	note("msync over it", msync(p, 3 * PAGE, MS_SYNC));
	note("mprotect back", mprotect(p + PAGE, PAGE, prot));
	note("madvise", madvise(p, PAGE, MADV_NORMAL));
	note("a hole", munmap(p + 6 * PAGE, PAGE));
	note("msync over a hole", msync(p, 8 * PAGE, MS_SYNC));
}

int main(int argc, char **argv)
{
	int prot = PROT_READ | PROT_WRITE, flags = MAP_SHARED, fd;
	char *p, buf[PAGE];
	unsigned long sum = 0;

	if (argc != 3)
		return 2;
	fd = open(argv[2], O_RDWR | O_CREAT, 0644);
	if (fd < 0 || ftruncate(fd, 16 * PAGE)) {
		perror(argv[2]);
		return 2;
	}
	if (strcmp(argv[1], "read") == 0)
		prot = PROT_READ;
	else if (strcmp(argv[1], "private") == 0)
		flags = MAP_PRIVATE;
	else if (strcmp(argv[1], "anonymous") == 0)
		flags = MAP_SHARED | MAP_ANONYMOUS;

	getppid();
	p = mmap(NULL, 8 * PAGE, prot, flags, flags & MAP_ANONYMOUS ? -1 : fd,
		 0);
	note("mmap", p == MAP_FAILED ? -1 : 0);
	if (p == MAP_FAILED)
		return 1;
	use(p, prot);
	p = mremap(p, 6 * PAGE, 12 * PAGE, MREMAP_MAYMOVE);
	note("mremap", p == MAP_FAILED ? -1 : 0);
	if (p == MAP_FAILED)
		return 1;
	note("msync of it", msync(p, 6 * PAGE, MS_SYNC));
	note("munmap", munmap(p, 12 * PAGE));
	getppid();

	for (size_t i = 0; i < n; i++)
		printf("%s: %ld %s\n", answers[i].what, answers[i].result,
		       answers[i].error ? strerrorname_np(answers[i].error)
					: "");
	while (read(fd, buf, sizeof(buf)) == sizeof(buf))
		for (size_t i = 0; i < sizeof(buf); i++)
			sum = sum * 31 + (unsigned char)buf[i];
	printf("file: %lx, uid %d\n", sum, (int)geteuid());
	return 0;
}
