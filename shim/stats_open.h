/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats_open.h: a new file for the statistics of this process.
 */
#ifndef PMEMSHIM_STATS_OPEN_H
#define PMEMSHIM_STATS_OPEN_H

#include <stddef.h>

/*
 * A descriptor of a new file of size zeros, all of them with room on the
 * disk, named after PMEMSHIM_STATS:
 *
 *	a directory		DIR/pmemshim.PID, DIR/pmemshim.PID.2, ...
 *	any other name		FILE, FILE.PID, FILE.PID.2, ...
 *
 * the first of them that does not exist yet; %p in the name is the process
 * id. The file has mode 0600; no file is overwritten, and no last component
 * of a name followed. -1 when there is none, and *why says why in words.
 */
int stats_open(const char *name, size_t size, const char **why);

#endif
