/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A hole of 64 MiB where the kernel puts the next mapping; tracked mappings,
 * at the hole's upper end where the kernel places them; then all below them,
 * which is free as far as this program knows, is filled by MAP_FIXED, over and
 * over.
 */
#include "t_preload.h"

#define HUGE_PAGE	((size_t)2 << 20)
#define HOLE		(32 * HUGE_PAGE)
#define LEN		(HUGE_PAGE + 2 * T_PAGE)
#define N		10

int main(void)
{
	int fd = t_open("data", LEN);
	char *hole = mmap(NULL, HOLE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p[N], *lowest, *q;

	T_REQUIRE(hole != MAP_FAILED && munmap(hole, HOLE) == 0);
	lowest = hole + HOLE;
	for (int i = 0; i < N; i++) {
		p[i] = mmap(NULL, LEN, T_RW, MAP_SHARED, fd, 0);
		/* By pages=auto it may lie elsewhere. */
		if (p[i] >= hole && p[i] < lowest)
			lowest = p[i];
		q = mmap(hole, (size_t)(lowest - hole), T_RW,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		T_REQUIRE(q == hole);
		memset(q, 0xa5, (size_t)(lowest - hole));
		T_REQUIRE(munmap(q, (size_t)(lowest - hole)) == 0);
	}
	t_tick();
	for (int i = 0; i < N; i++) {
		SAY(msync(p[i], LEN, MS_SYNC));
		SAY(msync(p[i], LEN, MS_SYNC));
	}
	for (int i = 0; i < N; i++)
		SAY(munmap(p[i], LEN));
	return 0;
}
