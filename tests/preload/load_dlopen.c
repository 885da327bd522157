/* SPDX-License-Identifier: BSD-3-Clause */
/* argv[1] is the library. */
#include "t_preload.h"

int main(int argc, char **argv)
{
	void *library = dlopen(argv[argc - 1], RTLD_NOW | RTLD_LOCAL);
	char *(*map)(int), *p, *q;

	T_REQUIRE(library);
	map = (char *(*)(int))dlsym(library, "mapper_map");
	q = *(char **)dlsym(library, "mapper_page");
	p = map(t_open("data", T_PAGE));
	SAY(msync(q, T_PAGE, MS_SYNC));
	SAY(dlclose(library));
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(q, T_PAGE, MS_SYNC));
	return 0;
}
