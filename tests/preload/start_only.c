/* SPDX-License-Identifier: BSD-3-Clause */
/* Anonymous and private memory, threads' stacks, locks, and (fork) a child that is waited for. */
#include "t_preload.h"

int main(int argc, char **argv)
{
	char *p, *big;

	write(1, "main\n", 5);
	p = mmap(NULL, 4 * T_PAGE, T_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(p, T_PAGE, PROT_READ);
	msync(p, T_PAGE, MS_SYNC);
	mlock(p, T_PAGE);
	madvise(p, T_PAGE, MADV_WILLNEED);
	p = mremap(p, 4 * T_PAGE, 8 * T_PAGE, MREMAP_MAYMOVE);
	munmap(p, 8 * T_PAGE);
	big = malloc(1 << 20);
	memset(big, 1, 1 << 20);
	memcpy(big, big + (1 << 19), 1 << 19);
	free(big);
	if (!strcmp(argv[argc - 1], "fork")) {
		if (fork() == 0)
			_exit(0);
		wait(NULL);
	}
	return 0;
}
