/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cut make|verify KIND FILE [HOLD]: files to be found whole after a power cut.
 *
 *   program  the textbook: open, ftruncate, mmap, store, msync; then once more
 *            behind the end that it had, and a last extension
 *   hole     stores into a file without blocks, synced page by page
 *   write    pwrite(2) into fallocated space of a mapped file, then msync of
 *            the mapping: the size and the blocks are what they were, but the
 *            extent must become a written one or the data reads as zeros
 *   refill   the mapped file truncated and refilled by write(2) to its old size
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, LEN = 32 * PAGE };

static char want[3 * LEN], got[3 * LEN + 1];
static const char *hold;

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(2);
}

static char *map(int fd, size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	must(p != MAP_FAILED, "mmap");
	return p;
}

static void store(char *p, size_t from, size_t len)
{
	for (size_t i = from; i < from + len; i++)
		((volatile char *)p)[i] = want[i];
}

static void sync_range(char *p, size_t from, size_t len)
{
	must(msync(p + from, len, MS_SYNC) == 0, "msync");
}

static size_t program(int fd)
{
	char *p;

	must(ftruncate(fd, LEN) == 0, "ftruncate");
	p = map(fd, LEN);
	store(p, 0, LEN / 2);
	sync_range(p, 0, LEN);
	store(p, LEN / 2, LEN / 2);
	sync_range(p, 0, LEN);
	must(ftruncate(fd, 2 * LEN) == 0, "ftruncate");
	p = mremap(p, LEN, 2 * LEN, MREMAP_MAYMOVE);
	must(p != MAP_FAILED, "mremap");
	store(p, LEN, LEN);
	sync_range(p, LEN, LEN);
	/* No store follows, whose fault would commit the size. */
	must(ftruncate(fd, 3 * LEN) == 0, "ftruncate");
	sync_range(p, 0, LEN);
	return 3 * LEN;
}

static size_t hole(int fd)
{
	char *p;

	must(ftruncate(fd, LEN) == 0, "ftruncate");
	p = map(fd, LEN);
	for (size_t i = 0; i < LEN; i += PAGE) {
		store(p, i, PAGE);
		sync_range(p, i, PAGE);
	}
	return LEN;
}

/* With a fifth argument: until FIFTH.go exists; FIFTH.ready says it waits. */
static void wait_for_go(void)
{
	char name[4096];

	if (!hold)
		return;
	snprintf(name, sizeof(name), "%s.ready", hold);
	must(creat(name, 0600) >= 0, name);
	snprintf(name, sizeof(name), "%s.go", hold);
	while (access(name, F_OK) != 0)
		usleep(1000);
}

/* So that the mapping is past its first calls and its file is known. */
static char *settled(int fd)
{
	char *p = map(fd, LEN);

	for (int i = 0; i < 3; i++) {
		store(p, 0, PAGE);
		sync_range(p, 0, PAGE);
		usleep(20000);
	}
	wait_for_go();
	return p;
}

static size_t write_behind(int fd)
{
	char *p;

	must(posix_fallocate(fd, 0, LEN) == 0, "posix_fallocate");
	p = settled(fd);
	must(pwrite(fd, want + PAGE, LEN - PAGE, PAGE) == LEN - PAGE,
	     "pwrite");
	sync_range(p, 0, LEN);
	return LEN;
}

static size_t refill(int fd)
{
	char *p;

	must(pwrite(fd, got, LEN, 0) == LEN, "pwrite");
	p = settled(fd);
	must(ftruncate(fd, PAGE) == 0, "ftruncate");
	must(pwrite(fd, want + PAGE, LEN - PAGE, PAGE) == LEN - PAGE,
	     "pwrite");
	sync_range(p, 0, LEN);
	return LEN;
}

static const struct kind {
	const char *name;
	size_t (*make)(int fd);
	size_t len;
} kinds[] = {
	{ "program", program, 3 * LEN },
	{ "hole", hole, LEN },
	{ "write", write_behind, LEN },
	{ "refill", refill, LEN },
};

static int verify(int fd, size_t len)
{
	ssize_t n = read(fd, got, sizeof(got));
	size_t i;

	if (n != (ssize_t)len) {
		printf("%zd bytes of %zu\n", n, len);
		return 1;
	}
	for (i = 0; i < len && got[i] == want[i]; i++)
		;
	if (i < len) {
		printf("byte %zu is %d, not %d\n", i, got[i], want[i]);
		return 1;
	}
	puts("whole");
	return 0;
}

int main(int argc, char **argv)
{
	int making, fd;

	must(argc == 4 || argc == 5, "usage: cut make|verify KIND FILE [HOLD]");
	hold = argv[4];
	for (size_t i = 0; i < 2 * LEN; i++)
		want[i] = (char)(i % 251 + 1);
	making = strcmp(argv[1], "make") == 0;
	fd = open(argv[3], making ? O_RDWR | O_CREAT | O_TRUNC : O_RDONLY,
		  0644);
	must(fd >= 0, argv[3]);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(argv[2], kinds[i].name) != 0)
			continue;
		if (!making)
			return verify(fd, kinds[i].len);
		kinds[i].make(fd);
		return 0;
	}
	return 2;
}
