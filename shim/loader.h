/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loader.h: dlopen(3) without RTLD_DEEPBIND, which hides the shim from the
 * module: its calls would go past us to libc.
 *
 * Design: libc takes the search path, $ORIGIN and the namespace from its return
 * address, which must stay the program's. So the exported functions are not
 * C: each is one mask and one jump (arch/ARCH/intercept.c), and the work is
 * here. An architecture without them exports no dlopen, and has no use for one.
 */
#ifndef PMEMSHIM_LOADER_H
#define PMEMSHIM_LOADER_H

#include <dlfcn.h>
#include <stdbool.h>

#include "shim/compiler.h"

/* The bits that a program's flags keep: all, until loader_init. */
extern HIDDEN int loader_flags;

/*
 * The next dlopen and dlmopen. Before loader_bind they are the architecture's
 * stand-ins, which call it and jump on: for the constructors of other libraries.
 */
extern HIDDEN void *(*loader_dlopen)(const char *name, int flags);
extern HIDDEN void *(*loader_dlmopen)(Lmid_t space, const char *name,
				      int flags);

/* May be called more than once, where dlopen(3) may. */
HIDDEN void loader_bind(void);

/* From here on RTLD_DEEPBIND is taken off, unless it is to be kept. */
void loader_init(bool keep_deepbind);

#endif
