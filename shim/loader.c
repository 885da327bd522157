/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loader.c: what the exported dlopen and dlmopen do and where they lead.
 *
 * Concurrency: the pointers are written with what they will always be, so a
 * second thread that binds at the same time does no harm.
 */
#include "shim/loader.h"

#include <stddef.h>

int loader_flags = ~0;

/*
 * The architecture's stand-ins: they bind, and jump on. Weak: without them
 * nothing is exported that would use the pointers.
 */
__attribute__((weak)) HIDDEN void *loader_first_dlopen(const char *name,
							int flags);
__attribute__((weak)) HIDDEN void *loader_first_dlmopen(Lmid_t space,
							 const char *name,
							 int flags);

void *(*loader_dlopen)(const char *name, int flags) = loader_first_dlopen;
void *(*loader_dlmopen)(Lmid_t space, const char *name,
			int flags) = loader_first_dlmopen;

/* Where libc has none: a program linked without it. */
static void *no_dlopen(const char *name, int flags)
{
	(void)name, (void)flags;
	return NULL;
}

static void *no_dlmopen(Lmid_t space, const char *name, int flags)
{
	(void)space, (void)name, (void)flags;
	return NULL;
}

void loader_bind(void)
{
	void *open = dlsym(RTLD_NEXT, "dlopen");
	void *open_in = dlsym(RTLD_NEXT, "dlmopen");

	*(void **)&loader_dlopen = open ? open : (void *)no_dlopen;
	*(void **)&loader_dlmopen = open_in ? open_in : (void *)no_dlmopen;
}

void loader_init(bool keep_deepbind)
{
	loader_flags = keep_deepbind ? ~0 : ~RTLD_DEEPBIND;
}
