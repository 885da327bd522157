/* SPDX-License-Identifier: BSD-3-Clause */
/* Maps in its constructor and when it is asked. */
#include "t_preload.h"

char *mapper_page;
char *mapper_map(int fd);

char *mapper_map(int fd)
{
	char *p = t_map_synced(fd, T_PAGE);

	SAY(msync(p, T_PAGE, MS_SYNC));
	return p;
}

__attribute__((constructor)) static void begin(void)
{
	mapper_page = mapper_map(t_open("library", T_PAGE));
}
