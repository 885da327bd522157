/* SPDX-License-Identifier: BSD-3-Clause */
/* argv[1] says what; the traced part lies between begin and end. */
#include "t_preload.h"

int main(int argc, char **argv)
{
	const char *kind = argv[argc - 1];
	int fd = !strcmp(kind, "outside") ? t_open_outside("data", 4 * T_PAGE)
					  : t_open("data", 4 * T_PAGE);
	int flags = !strcmp(kind, "private") ? MAP_PRIVATE
		  : !strcmp(kind, "outside") ? MAP_SHARED
					     : MAP_SHARED | MAP_ANONYMOUS;
	char *p, *q;

	write(1, "begin\n", 6);
	p = mmap(NULL, 4 * T_PAGE, T_RW, flags, fd, 0);
	q = mmap(p + T_PAGE, T_PAGE, T_RW, flags | MAP_FIXED, fd, 0);
	memset(p, 7, 4 * T_PAGE);
	msync(p, 4 * T_PAGE, MS_SYNC);
	msync(q + 1, 5, MS_SYNC);
	mprotect(q, T_PAGE, PROT_READ);
	madvise(p, 4 * T_PAGE, MADV_DONTFORK);
	p = mremap(p, T_PAGE, 9 * T_PAGE, MREMAP_MAYMOVE);
	msync(p, T_PAGE, MS_ASYNC);
	munmap(p, 9 * T_PAGE);
	write(1, "end\n", 4);
	return 0;
}
