/* SPDX-License-Identifier: BSD-3-Clause */
/* Modules with RTLD_DEEPBIND; argv[1] "home" says whose msync theirs is. */
#include "t_preload.h"

void *outer_open(const char *name, int flags);
void *outer_open_in(Lmid_t space, const char *name, int flags);

static void *find(void *library, const char *name)
{
	void *symbol = dlsym(library, name);

	T_REQUIRE(symbol);
	return symbol;
}

int main(int argc, char **argv)
{
	int home = argc > 1 && !strcmp(argv[1], "home");
	char *p = home ? NULL : t_map_synced(t_open("data", T_PAGE), T_PAGE);
	void *a, *b, *c, *d;
	Lmid_t space;

	SAY(dlerror());
	SAY(dlopen("libdeepinner.so", RTLD_NOW | RTLD_DEEPBIND) != NULL);
	dprintf(1, "%s\n", dlerror());
	SAY(dlerror());
	SAY(dlopen("/", 12345));
	dprintf(1, "%s\n", dlerror());
	SAY(dlmopen(LM_ID_BASE, "libdeepinner.so", RTLD_NOW) != NULL);
	dprintf(1, "%s\n", dlerror());
	a = outer_open("libdeepinner.so", RTLD_NOW | RTLD_DEEPBIND);
	b = outer_open_in(LM_ID_BASE, "libdeepsecond.so", RTLD_NOW | RTLD_DEEPBIND);
	c = outer_open_in(LM_ID_NEWLM, "libdeepinner.so", RTLD_NOW | RTLD_DEEPBIND);
	T_REQUIRE(a && b && c && c != a);
	/* where the shim is not, the flag stays */
	T_REQUIRE(dlinfo(c, RTLD_DI_LMID, &space) == 0);
	d = outer_open_in(space, "libdeepsecond.so", RTLD_NOW | RTLD_DEEPBIND);
	T_REQUIRE(d);
	dprintf(1, "%s\n", ((const char *(*)(void))find(d, "module_says"))());
	if (home) {
		printf("%s %s %s\n", ((const char *(*)(void))find(a, "module_home"))(),
		       ((const char *(*)(void))find(b, "module_home"))(),
		       ((const char *(*)(void))find(c, "module_home"))());
		return 0;
	}
	((void (*)(char *))find(a, "module_work"))(p);
	((void (*)(char *))find(b, "module_work"))(p);
	SAY(dlclose(a));
	SAY(dlclose(b));
	SAY(msync(p, T_PAGE, MS_SYNC));
	return 0;
}
