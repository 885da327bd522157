/* SPDX-License-Identifier: BSD-3-Clause */
/* argv[1] says how; a file without a rule comes to each place that was left. */
#include "t_preload.h"

static char *p, *r;	/* four tracked pages; a reserved range */
static int other;

static void fill(char *hole)
{
	SAY(mmap(hole, T_PAGE, T_RW, MAP_SHARED, other, 0) == hole);
	hole[1] = 'h';
	SAY(msync(hole, T_PAGE, MS_SYNC));
}

/* The page at q is page i of the file, and a sync of it works. */
static void check(char *q, int i)
{
	SAY(q[0] == 'A' + i);
	q[0] = (char)('A' + i);
	SAY(msync(q, T_PAGE, MS_SYNC));
}

int main(int argc, char **argv)
{
	const char *how = argv[argc - 1];
	int fd = t_open("data", 16 * T_PAGE);
	char *q;

	other = t_open_outside("other", T_PAGE);
	r = mmap(NULL, 64 * T_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p = mmap(r + 8 * T_PAGE, 4 * T_PAGE, T_RW, MAP_SHARED | MAP_FIXED, fd, 0);
	for (int i = 0; i < 16; i++)
		pwrite(fd, (char[]){ (char)('A' + i) }, 1, i * 4096);
	for (int i = 0; i < 4; i++)
		p[(size_t)i * T_PAGE] = (char)('A' + i);
	t_tick();
	SAY(strcmp(how, "onto") ? msync(p, 4 * T_PAGE, MS_SYNC) : 0);
	if (!strcmp(how, "grow")) {
		SAY(munmap(p + 4 * T_PAGE, 4 * T_PAGE));
		SAY(mremap(p, 4 * T_PAGE, 8 * T_PAGE, 0) == p);
		check(p + 7 * T_PAGE, 7);
		check(p, 0);
	} else if (!strcmp(how, "move")) {
		SAY((q = mremap(p, 4 * T_PAGE, 8 * T_PAGE, MREMAP_MAYMOVE)) != p);
		SAY(msync(p, T_PAGE, MS_SYNC));
		fill(p);
		check(q + 6 * T_PAGE, 6);
		check(q + T_PAGE, 1);
	} else if (!strcmp(how, "shrink")) {
		SAY(mremap(p, 4 * T_PAGE, T_PAGE, 0) == p);
		SAY(msync(p + T_PAGE, T_PAGE, MS_SYNC));
		fill(p + T_PAGE);
		check(p, 0);
	} else if (!strcmp(how, "fixed")) {
		q = r + 32 * T_PAGE;
		SAY(mremap(p, 2 * T_PAGE, 2 * T_PAGE,
			   MREMAP_MAYMOVE | MREMAP_FIXED, q) == q);
		SAY(msync(p, T_PAGE, MS_SYNC));
		fill(p);
		check(q + T_PAGE, 1);
		check(p + 3 * T_PAGE, 3);
	} else if (!strcmp(how, "duplicate")) {
		SAY((q = mremap(p + T_PAGE, 0, 2 * T_PAGE, MREMAP_MAYMOVE)) != p);
		check(q, 1);
		check(q + T_PAGE, 2);
		check(p + T_PAGE, 1);
	} else if (!strcmp(how, "dontunmap")) {
		q = mremap(p, 4 * T_PAGE, 4 * T_PAGE,
			   MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
		SAY(q != MAP_FAILED);
		check(q + T_PAGE, 1);
		check(p + T_PAGE, 1);
		p[T_PAGE + 9] = 'x';
		SAY(q[T_PAGE + 9]);
		check(p, 0);
	} else if (!strcmp(how, "fails")) {
		/* the neighbour is in the way; unaligned; no such flag */
		SAY(mremap(p, 4 * T_PAGE, 8 * T_PAGE, 0) == MAP_FAILED);
		SAY(mremap(p + 1, 4 * T_PAGE, T_PAGE, 0) == MAP_FAILED);
		SAY(mremap(p, 4 * T_PAGE, T_PAGE, 128) == MAP_FAILED);
		SAY(mremap(p, 4 * T_PAGE, 0, 0) == MAP_FAILED);
		check(p, 0);
		check(p + 3 * T_PAGE, 3);
	} else if (!strcmp(how, "across")) {
		/* a range of which a part has other access */
		SAY(mprotect(p, T_PAGE, PROT_READ));
		SAY(mremap(p, 4 * T_PAGE, 8 * T_PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
		check(p + T_PAGE, 1);
		SAY(munmap(p + 2 * T_PAGE, T_PAGE));
		fill(p + 2 * T_PAGE);
	} else if (!strcmp(how, "over")) {
		/* untracked memory onto a part of the tracked */
		q = mmap(NULL, T_PAGE, T_RW, MAP_SHARED, other, 0);
		SAY(mremap(q, T_PAGE, T_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   p + T_PAGE) == p + T_PAGE);
		SAY(msync(p + T_PAGE, T_PAGE, MS_SYNC));
		SAY(msync(p + T_PAGE, T_PAGE, MS_SYNC));
		SAY(msync(p, 4 * T_PAGE, MS_SYNC));
		check(p + 3 * T_PAGE, 3);
	} else {
		/* tracked onto tracked: its own first call is still to come */
		q = mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 9 * 4096);
		SAY(mremap(q, T_PAGE, T_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   p + T_PAGE) == p + T_PAGE);
		check(p + T_PAGE, 9);
		fill(q);
	}
	return 0;
}
