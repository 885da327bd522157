/* SPDX-License-Identifier: BSD-3-Clause */
/* Three msync of a file; says "fine" and leaves with 42. */
#include "t_preload.h"

int main(void)
{
	char *p = t_map_synced(t_open("data", T_PAGE), T_PAGE);

	if (msync(p, T_PAGE, MS_SYNC) || msync(p, T_PAGE, MS_SYNC))
		return 1;
	puts("fine");
	return 42;
}
