/* SPDX-License-Identifier: BSD-3-Clause */
/* Four pages of a tracked file, of which argv[1] is replaced by a file without a rule. */
#include "t_preload.h"

int main(int argc, char **argv)
{
	const char *part = argv[argc - 1];
	char *p = t_map_synced(t_open("data", 4 * T_PAGE), 4 * T_PAGE);
	int other = t_open_outside("other", 4 * T_PAGE);
	size_t at = !strcmp(part, "head") ? 0 : !strcmp(part, "middle") ? 1 : 3;
	char *hole = p + at * T_PAGE;

	SAY(munmap(hole, T_PAGE));
	SAY(mmap(hole, T_PAGE, T_RW, MAP_SHARED, other, 0) == hole);
	hole[7] = 'h';
	SAY(msync(hole, T_PAGE, MS_SYNC));
	SAY(msync(hole, T_PAGE, MS_SYNC));
	/* what is left is tracked as before */
	SAY(msync(at == 3 ? p : p + 3 * T_PAGE, T_PAGE, MS_SYNC));
	if (at != 0) {
		printf("whole, partly foreign\n");
		SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	}
	return 0;
}
