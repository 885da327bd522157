/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mounts.h: where DAX files can be, by the mount table. Private to config/
 * and its tests.
 */
#ifndef PMEMSHIM_MOUNTS_H
#define PMEMSHIM_MOUNTS_H

#include <stdbool.h>

/* path is a mount point without a trailing slash; false stops the walk. */
typedef bool (*mounts_fn)(void *arg, const char *path);

/*
 * Call fn for every mount whose files may be DAX: it has the option dax or
 * dax=always, or its block device is capable of DAX by sysfs (single files
 * may then be DAX, by dax=inode) and it has not dax=never. 0 or a negative
 * errno of reading mountinfo. A table of any size is read in constant space.
 * Not reentrant.
 */
int mounts_walk_dax(const char *mountinfo, const char *sysfs, mounts_fn fn,
		    void *arg);

#endif
