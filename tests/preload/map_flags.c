/* SPDX-License-Identifier: BSD-3-Clause */
/* The last mapping is a plain one and must be tracked. */
#include "t_preload.h"

#define ODD	0x200000	/* no such flag, unlike the bits of MAP_HUGE_SHIFT */

int main(void)
{
	int fd = t_open("data", 4 * T_PAGE);
	char *p, *q;

	SAY_MAP(p, mmap(NULL, T_PAGE, T_RW, MAP_SHARED | ODD, fd, 0));
	SAY_MAP(p, mmap(NULL, T_PAGE, T_RW, MAP_SHARED | MAP_SYNC, fd, 0));
	SAY_MAP(p, mmap(NULL, T_PAGE, T_RW, MAP_SHARED_VALIDATE, fd, 0));
	SAY_MAP(p, mmap(NULL, T_PAGE, T_RW, MAP_SHARED_VALIDATE | ODD, fd, 0));
	SAY_MAP(p, mmap(NULL, T_PAGE, T_RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0));
	SAY_MAP(q, mmap(NULL, T_PAGE, T_RW, MAP_SHARED | MAP_POPULATE | MAP_NORESERVE, fd, 0));
	SAY_MAP(p, mmap(q, T_PAGE, T_RW, MAP_SHARED_VALIDATE | MAP_FIXED | ODD, fd, 0));
	SAY(q[0]);
	SAY_MAP(p, mmap(NULL, 0, T_RW, MAP_SHARED, fd, 0));
	SAY_MAP(p, mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 1));
	SAY_MAP(p, mmap(NULL, T_PAGE, T_RW, MAP_SHARED, 12345, 0));
	SAY_MAP(p, mmap(NULL, T_PAGE, T_RW, 0, fd, 0));
	SAY_MAP(p, mmap(NULL, (size_t)1 << 60, T_RW, MAP_SHARED, fd, 0));
	SAY_MAP(p, mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, (off_t)1 << 62));
	SAY_MAP(p, mmap(NULL, (size_t)-1, T_RW, MAP_SHARED, fd, 0));
	SAY_MAP(p, mmap((void *)1, T_PAGE, T_RW, MAP_SHARED | MAP_FIXED, fd, 0));
	fd = open("/dev/null", O_RDWR);
	SAY_MAP(p, mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 0));
	fd = open(getenv("T_FILES"), O_RDONLY);
	SAY_MAP(p, mmap(NULL, T_PAGE, PROT_READ, MAP_SHARED, fd, 0));
	fd = t_open("data", 0);
	p = t_map_synced(fd, T_PAGE);
	SAY(msync(p, T_PAGE, MS_SYNC));
	printf("end\n");
	return 0;
}
