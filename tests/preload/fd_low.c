/* SPDX-License-Identifier: BSD-3-Clause */
/* Closes 0 to 2, opens its file as argv[1], maps, syncs and exits. */
#include "t_preload.h"

int main(int argc, char **argv)
{
	int number = atoi(argv[argc - 1]), fd;
	char path[4096];
	char *p;

	snprintf(path, sizeof(path), "%s/data", getenv("T_FILES"));
	for (int i = 0; i <= 2; i++)
		close(i);
	for (int i = 0; i < number; i++)
		if (open("/dev/null", O_RDWR) != i)
			return 9;
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd != number || ftruncate(fd, 4096))
		return 8;
	p = t_map_synced(fd, T_PAGE);
	p[17] = 'z';
	/* refused, and reported at a high log level */
	mmap(NULL, T_PAGE, T_RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);
	return msync(p, T_PAGE, MS_SYNC) ? 7 : 3;
}
