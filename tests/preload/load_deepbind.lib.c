/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One source, three libraries. OUTER finds INNER by its bare name, through the
 * run path that OUTER alone has; with EARLY, from a constructor already. INNER
 * is also the module that is loaded with RTLD_DEEPBIND.
 */
#include "t_preload.h"

#ifdef INNER
void module_work(char *p);
const char *module_home(void);
const char *module_name(void);
const char *module_says(void);

/* Bound to the module's own name, or to that of the first one in its namespace. */
const char *module_name(void)
{
	return INNER;
}

const char *module_says(void)
{
	return module_name();
}

void module_work(char *p)
{
	memcpy(p, "module", 7);
	memset(p + 64, 5, 1000);
	SAY(msync(p, T_PAGE, MS_SYNC));
	SAY(msync(p, T_PAGE, MS_SYNC));
}

/* Whose msync the module calls. */
const char *module_home(void)
{
	Dl_info info;

	T_REQUIRE(dladdr((void *)msync, &info));
	return strrchr(info.dli_fname, '/') + 1;
}
#else
void *outer_open(const char *name, int flags);
void *outer_open_in(Lmid_t space, const char *name, int flags);

void *outer_open(const char *name, int flags)
{
	void *library = dlopen(name, flags);

	/* not a jump: the return address is this library's */
	dprintf(1, "outer: %s %s\n", name, library ? "found" : dlerror());
	return library;
}

void *outer_open_in(Lmid_t space, const char *name, int flags)
{
	void *library = dlmopen(space, name, flags);

	dprintf(1, "outer in %ld: %s %s\n", (long)space, name,
		library ? "found" : dlerror());
	return library;
}

#ifdef EARLY
__attribute__((constructor)) static void early(void)
{
	outer_open("libdeepinner.so", RTLD_NOW);
	outer_open_in(LM_ID_BASE, "libdeepinner.so", RTLD_NOW);
}
#endif
#endif
