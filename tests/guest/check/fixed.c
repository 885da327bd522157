/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fixed FILE: MAP_FIXED and MAP_FIXED_NOREPLACE over memory in use, granted
 * and refused for many reasons. Prints each answer, and whether the memory
 * that was there before is there still; the same must come without the shim.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, LEN = 4 * PAGE };

static sigjmp_buf fault;

static void on_fault(int signal)
{
	siglongjmp(fault, signal);
}

static const char *state(const volatile char *p)
{
	int signal = sigsetjmp(fault, 1);

	if (signal)
		return signal == SIGBUS ? "SIGBUS" : "gone";
	return p[0] == 'o' && p[LEN - 1] == 'o' ? "old"
	     : p[0] == 'f' && p[LEN - 1] == 'f' ? "file" : "neither";
}

struct trial {
	const char *what;
	int fd;
	int prot;
	int flags;
	off_t offset;
	size_t len;
};

static void run(const struct trial *trial)
{
	char *p = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *q;
	int error;

	memset(p, 'o', LEN);
	errno = 0;
	q = mmap(p, trial->len, trial->prot, trial->flags, trial->fd,
		 trial->offset);
	error = errno;
	printf("%s: %s %s, then %s", trial->what,
	       q == MAP_FAILED ? "refused" : q == p ? "there" : "elsewhere",
	       error ? strerrorname_np(error) : "", state(p));
	if (q != MAP_FAILED)
		printf(", msync %d", msync(q, trial->len, MS_SYNC));
	putchar('\n');
	munmap(p, LEN);
}

int main(int argc, char **argv)
{
	const int rw = PROT_READ | PROT_WRITE, fixed = MAP_SHARED | MAP_FIXED;
	const int validated = MAP_SHARED_VALIDATE | MAP_FIXED;
	int fd, reader, writer, directory, pipes[2];
	char buf[LEN];

	if (argc != 2)
		return 2;
	fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0644);
	memset(buf, 'f', LEN);
	if (fd < 0 || pwrite(fd, buf, LEN, 0) != LEN || pipe(pipes)) {
		perror(argv[1]);
		return 2;
	}
	reader = open(argv[1], O_RDONLY);
	writer = open(argv[1], O_WRONLY);
	directory = open("/", O_RDONLY | O_DIRECTORY);
	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);

	const struct trial trials[] = {
		{ "a file", fd, rw, fixed, 0, LEN },
		{ "to be read", reader, PROT_READ, fixed, 0, LEN },
		{ "no right to write", reader, rw, fixed, 0, LEN },
		{ "no right to read", writer, rw, fixed, 0, LEN },
		{ "unaligned offset", fd, rw, fixed, 100, LEN },
		{ "offset too large", fd, rw, fixed, (off_t)-PAGE, LEN },
		{ "no length", fd, rw, fixed, 0, 0 },
		{ "length too large", fd, rw, fixed, 0, (size_t)1 << 60 },
		{ "a directory", directory, PROT_READ, fixed, 0, LEN },
		{ "a pipe", pipes[0], PROT_READ, fixed, 0, LEN },
		{ "no descriptor", -1, rw, fixed, 0, LEN },
		{ "validated", fd, rw, validated, 0, LEN },
		{ "an unknown flag", fd, rw, validated | 1 << 28, 0, LEN },
		{ "private", fd, rw, MAP_PRIVATE | MAP_FIXED, 0, LEN },
		{ "not to replace", fd, rw, MAP_SHARED | MAP_FIXED_NOREPLACE,
		  0, LEN },
		{ "a hint", fd, rw, MAP_SHARED, 0, LEN },
		{ "MAP_SYNC asked for", fd, rw, validated | MAP_SYNC, 0, LEN },
	};
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
		run(&trials[i]);
	return 0;
}
