/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * path.h: the one spelling of a path that rules are compared by. Private to
 * config/ and its tests.
 */
#ifndef PMEMSHIM_PATH_H
#define PMEMSHIM_PATH_H

#include <limits.h>

/*
 * Write path (absolute, shorter than PATH_MAX) to out with symbolic links,
 * "." and ".." resolved, without a trailing slash ("/" becomes ""). 0, or the
 * negative errno of the look-up: then the longest leading part that exists
 * is resolved and the rest follows as it is spelled, normalised. Not
 * reentrant.
 */
int path_resolve(const char *path, char out[PATH_MAX]);

#endif
