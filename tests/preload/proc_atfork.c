/* SPDX-License-Identifier: BSD-3-Clause */
/* The handlers are in libatfork.so, whose constructor runs first. */
#include "t_preload.h"

int main(void)
{
	pid_t child;

	alarm(10);
	child = fork();
	if (child == 0)
		_exit(6);
	SAY(t_wait(child));
	return 0;
}
