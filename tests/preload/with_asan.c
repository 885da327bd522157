/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies more than it has out of the heap into a tracked mapping. */
#include "t_preload.h"

int main(void)
{
	char *p = t_map_synced(t_open("data", T_PAGE), T_PAGE);
	char *q = malloc(1000);
	volatile size_t n = 1001;

	memset(q, 1, 1000);
	memcpy(p, q, n);
	return p[5] == 1 ? 3 : 4;
}
