/* SPDX-License-Identifier: BSD-3-Clause */
/* Three msync, of which a working shim leaves one to the kernel. */
#include "t_preload.h"

#include <sys/auxv.h>

int main(void)
{
	char *p;

	printf("secure %lu\n", getauxval(AT_SECURE));
	/* secure_getenv is not ours to use: T_FILES is plain */
	p = t_map_synced(t_open("data", T_PAGE), T_PAGE);
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, MS_SYNC));
	return 0;
}
