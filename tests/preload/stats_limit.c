/* SPDX-License-Identifier: BSD-3-Clause */
/* No file may grow any more. */
#include "t_preload.h"

int main(void)
{
	struct rlimit none = { 0, 0 };

	t_map_synced(t_open("data", T_PAGE), T_PAGE);
	setrlimit(RLIMIT_FSIZE, &none);
	return 42;
}
