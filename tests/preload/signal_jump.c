/* SPDX-License-Identifier: BSD-3-Clause */
/* A timer jumps out of copies, syncs and mappings for two seconds. */
#include "t_preload.h"

#include <setjmp.h>

static sigjmp_buf back;

static void handler(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

int main(void)
{
	struct itimerval once = { { 0, 0 }, { 0, 0 } }, never = { { 0 } };
	int fd = t_open("data", 4 * T_PAGE);
	char *p = t_map_synced(fd, 4 * T_PAGE);
	volatile int jumps = 0;
	time_t end = time(NULL) + 2;
	static char from[9000];

	signal(SIGALRM, handler);
	while (time(NULL) <= end) {
		once.it_value.tv_usec = 20 + rand() % 100;
		if (sigsetjmp(back, 1) == 0) {
			setitimer(ITIMER_REAL, &once, NULL);
			for (;;) {
				/* a mapping that a jump leaves is not missed */
				char *m = mmap(p, 4 * T_PAGE, T_RW, MAP_SHARED | MAP_FIXED, fd, 0);

				memcpy(m + 1, from, sizeof(from));
				msync(m, 4 * T_PAGE, MS_SYNC);
			}
		}
		jumps++;
		setitimer(ITIMER_REAL, &never, NULL);
	}
	alarm(0);
	SAY(msync(p, 4 * T_PAGE, MS_SYNC));
	SAY(jumps > 100);
	return 0;
}
