/* SPDX-License-Identifier: BSD-3-Clause */
/* argv[1] pages, one more, and one. */
#include "t_preload.h"

int main(int argc, char **argv)
{
	size_t limit = strtoul(argv[argc - 1], NULL, 10) * T_PAGE;
	char *p = t_map_synced(t_open("data", limit + T_PAGE), limit + T_PAGE);

	SAY(msync(p, limit, MS_SYNC));
	SAY(msync(p, limit + 1, MS_SYNC));
	SAY(msync(p + limit, T_PAGE, MS_SYNC));
	return 0;
}
