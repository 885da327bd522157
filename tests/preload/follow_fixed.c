/* SPDX-License-Identifier: BSD-3-Clause */
/* The second page of four is replaced. */
#include "t_preload.h"

static void *replace(const char *by, char *where)
{
	int flags = MAP_FIXED;

	if (!strcmp(by, "anonymous"))
		return mmap(where, T_PAGE, T_RW,
			    flags | MAP_ANONYMOUS | MAP_SHARED, -1, 0);
	if (!strcmp(by, "file"))
		return mmap(where, T_PAGE, T_RW, flags | MAP_SHARED,
			    t_open_outside("other", T_PAGE), 0);
	if (!strcmp(by, "private"))
		return mmap(where, T_PAGE, T_RW, flags | MAP_PRIVATE,
			    t_open("mine", T_PAGE), 0);
	if (!strcmp(by, "tracked"))
		return mmap(where, T_PAGE, T_RW, flags | MAP_SHARED,
			    t_open("mine", T_PAGE), 0);
	if (!strcmp(by, "shm")) {
		int id = shmget(IPC_PRIVATE, 100, 0600);
		void *p = shmat(id, where + 5, SHM_REMAP | SHM_RND);

		shmctl(id, IPC_RMID, NULL);
		return p;
	}
	return mmap(where, T_PAGE, T_RW, flags | MAP_SHARED, 12345, 0);
}

int main(int argc, char **argv)
{
	char *p = t_map_synced(t_open("data", 4 * T_PAGE), 4 * T_PAGE);
	char *q = p + T_PAGE, *there;

	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY_MAP(there, replace(argv[argc - 1], q));
	SAY(there == q || there == MAP_FAILED);
	q[0] = 'q';
	t_tick();
	SAY(msync(q, T_PAGE, MS_SYNC));
	SAY(msync(q, T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p + 2 * T_PAGE, T_PAGE, MS_SYNC));
	if (strcmp(argv[argc - 1], "tracked"))
		SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	return 0;
}
