/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stat_find.h: which statistics files a FILE, a DIR or a PID stands for.
 */
#ifndef PMEMSHIM_STAT_FIND_H
#define PMEMSHIM_STAT_FIND_H

#include <stdbool.h>
#include <stddef.h>

/* Names, in memory of their own. Start with {0}. */
struct stat_files {
	size_t n;
	char **paths;
};

/*
 * Add what target stands for, in an order that does not change:
 *
 *	a directory	every statistics file in it
 *	a file		it, and the files that a shim names FILE.PID and
 *			FILE.PID.NUMBER; %p in it is any process id
 *	a number	the file that this process keeps its statistics in
 *
 * False, and one line was said, when there is none.
 */
bool stat_find(struct stat_files *files, const char *target);

/* Whether target is taken for a process. */
bool stat_is_process(const char *target);

void stat_files_free(struct stat_files *files);

/* Whether the process maps the file path; true when it cannot be told. */
bool stat_is_mapped(int pid, const char *path);

#endif
