/* SPDX-License-Identifier: BSD-3-Clause */
/* Linked against a library whose constructor runs before the shim's. */
#include "t_preload.h"

void symbols_call(const char *stage, char *area, char *work);

int main(void)
{
	int fd = t_open("data", 8 * T_PAGE);
	char *area = t_map(fd, 4 * T_PAGE);
	char *work = mmap(NULL, 4 * T_PAGE, T_RW, MAP_SHARED, fd, 4 * T_PAGE);

	symbols_call("main", area, work);
	return 0;
}
