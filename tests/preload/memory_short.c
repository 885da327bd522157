/* SPDX-License-Identifier: BSD-3-Clause */
/* RLIMIT_AS leaves room for the mapping and not for the nodes that its edges need; then files are checked in turn. */
#include "t_preload.h"

#define HUGE_PAGE	((size_t)2 << 20)
#define LEN		(7 * HUGE_PAGE + 2 * T_PAGE)
#define TRIES		20
#define ROOM		(TRIES * 16 * HUGE_PAGE)

static char *room;
static int fd[3];

/* Bytes of address space in use. */
static size_t in_use(void)
{
	char text[64] = "";
	int statm = open("/proc/self/statm", O_RDONLY);

	T_REQUIRE(read(statm, text, 63) > 0);
	close(statm);
	return strtoul(text, NULL, 10) * T_PAGE;
}

/* Map where nothing of the kind has been yet; whether msync is right. */
static int try_short(char *where, int nodes)
{
	struct rlimit old, limit;
	int right;
	char *p;

	/* an edge or two more, so that each number of spare nodes comes up */
	for (int i = 0; i <= nodes; i++) {
		p = mmap(where + (12 + (size_t)i) * HUGE_PAGE, T_PAGE, T_RW,
			 MAP_SHARED | MAP_FIXED, fd[1], 0);
		T_REQUIRE(p != MAP_FAILED);
	}
	getrlimit(RLIMIT_AS, &old);
	limit = old;
	limit.rlim_cur = in_use() + 4 * T_PAGE;
	T_REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
	p = mmap(where + 2 * HUGE_PAGE - T_PAGE, LEN, T_RW,
		 MAP_SHARED | MAP_FIXED, fd[0], 0);
	setrlimit(RLIMIT_AS, &old);
	if (p == MAP_FAILED)
		return 0;
	p[0] = 1;
	right = msync(p, LEN, MS_SYNC) == 0 && msync(p, LEN, MS_SYNC) == 0;
	return munmap(p, LEN) == 0 && right;
}

int main(void)
{
	char name[] = "data0", *p[3];
	int right = 0;

	room = mmap(NULL, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	room += -(uintptr_t)room % HUGE_PAGE;
	for (int i = 0; i < 3; i++) {
		name[4] = (char)('0' + i);
		fd[i] = t_open(name, T_PAGE);
		T_REQUIRE(ftruncate(fd[i], (off_t)LEN) == 0);
	}
	for (int i = 0; i < TRIES - 1; i++)
		right += try_short(room + (size_t)i * 16 * HUGE_PAGE, i % 2);
	SAY(right);
	/* records that went through that serve their own file and no other */
	for (int i = 0; i < 3; i++) {
		p[i] = t_map_synced(fd[i], LEN);
		SAY(msync(p[i], LEN, MS_SYNC));
	}
	for (int i = 0; i < 3; i++) {
		SAY(ftruncate(fd[i], T_PAGE));
		SAY(msync(p[i], LEN, MS_SYNC));
		SAY(ftruncate(fd[i], 0));
		SAY(msync(p[i], LEN, MS_SYNC));
	}
	return 0;
}
