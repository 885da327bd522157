/* SPDX-License-Identifier: BSD-3-Clause */
/* With an argument it is one of the programs that are run. */
#include "t_preload.h"

#include <spawn.h>
extern char **environ;

static void use(const char *name)
{
	char *p = t_map_synced(t_open(name, T_PAGE), T_PAGE);

	p[4] = 'u';
	SAY(msync(p, T_PAGE, MS_SYNC));
}

int main(int argc, char **argv)
{
	char self[4096] = "", command[5000], *args[] = { self, "x", NULL };
	char *p;
	pid_t child;
	FILE *pipe;

	T_REQUIRE(readlink("/proc/self/exe", self, 4000) > 0);
	if (argc > 1) {
		use("child");
		return 3;
	}
	use("data");
	p = t_map_synced(t_open("data", T_PAGE), T_PAGE);
	child = vfork();
	if (child == 0) {
		execv(self, args);
		_exit(1);
	}
	SAY(t_wait(child));
	SAY(posix_spawn(&child, self, NULL, NULL, args, environ));
	SAY(t_wait(child));
	snprintf(command, sizeof(command), "%s x", self);
	SAY(system(command));
	pipe = popen(command, "r");
	T_REQUIRE(fgets(command, sizeof(command), pipe));
	printf("%s", command);
	fflush(stdout);
	SAY(pclose(pipe));
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, MS_SYNC));
	return 0;
}
