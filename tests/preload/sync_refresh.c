/* SPDX-License-Identifier: BSD-3-Clause */
/* Two mappings; two intervals pass. */
#include "t_preload.h"

int main(void)
{
	int fd = t_open("data", 4 * T_PAGE);
	char *p = t_map(fd, T_PAGE);
	char *q = t_map(fd, T_PAGE);

	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(q, T_PAGE, MS_SYNC));
	for (int i = 0; i < 2; i++) {
		usleep(400000);
		SAY(msync(p, T_PAGE, MS_SYNC));
		SAY(msync(p, T_PAGE, MS_SYNC));
		SAY(msync(q, T_PAGE, MS_SYNC));
		SAY(msync(q, T_PAGE, MS_SYNC));
	}
	return 0;
}
