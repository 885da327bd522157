/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * library.c: where libpmemshim.so is, and how LD_PRELOAD names it.
 */
#include "cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where this command is, without the last part; NULL: /proc is not there. */
static char *own_directory(void)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (len < 0)
		return NULL;
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	return cli_strdup(path);
}

/* path, without links and dots, if there is a file; path is freed. */
static char *existing(char *path)
{
	char *real = access(path, R_OK) == 0 ? realpath(path, NULL) : NULL;

	free(path);
	return real;
}

/* As named, so that a link can stand for a path that has a space in it. */
static char *named_library(const char *named)
{
	char cwd[PATH_MAX];

	if (access(named, R_OK) != 0 || !getcwd(cwd, sizeof(cwd))) {
		cli_error("%s: %m", named);
		return NULL;
	}
	return *named == '/' ? cli_strdup(named)
			     : cli_format("%s/%s", cwd, named);
}

char *cli_library(const char *named)
{
	char *own, *path = NULL;

	if (named)
		return named_library(named);
	own = own_directory();
	if (own) {
		path = existing(cli_format("%s/libpmemshim.so", own));
		if (!path)
			path = existing(
				cli_format("%s/../lib/libpmemshim.so", own));
	}
	if (!path)
		path = existing(cli_strdup(PMEMSHIM_LIBDIR "/libpmemshim.so"));
	if (!path)
		cli_error("libpmemshim.so: neither in %s nor in %s/../lib nor in %s; --library can name it",
			  own ? own : ".", own ? own : ".", PMEMSHIM_LIBDIR);
	free(own);
	return path;
}

/* Last: a sanitizer's runtime must come first, and others take any order. */
char *cli_preload(const char *library, const char *old)
{
	if (strpbrk(library, " :$")) {
		cli_error("%s: LD_PRELOAD cannot hold a path with a space, a colon or a dollar; --library can name a link to it",
			  library);
		return NULL;
	}
	if (!old || !*old)
		return cli_strdup(library);
	return cli_format("%s:%s", old, library);
}
