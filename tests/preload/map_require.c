/* SPDX-License-Identifier: BSD-3-Clause */
/* On a file system that gives no MAP_SYNC. */
#include "t_preload.h"

static char *map(const char *what, void *where, int flags, int fd)
{
	char *p;

	errno = T_ERRNO;
	p = mmap(where, T_PAGE, T_RW, flags, fd, 0);
	t_show(what, p == MAP_FAILED ? -1 : 0, errno);
	return p;
}

int main(void)
{
	int fd = t_open("data", 4 * T_PAGE);
	char *r = mmap(NULL, T_PAGE, T_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	r[0] = 'r';
	map("fresh", NULL, MAP_SHARED, fd);
	map("over", r, MAP_SHARED | MAP_FIXED, fd);
	SAY(r[0]);
	map("private", NULL, MAP_PRIVATE, fd);
	map("outside", NULL, MAP_SHARED, t_open_outside("other", T_PAGE));
	return 0;
}
