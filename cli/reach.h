/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reach.h: will preloading reach a program, and what of it?
 *
 * Nothing is run. A program that loads libraries later, starts other programs
 * or jumps into code that it wrote itself is judged by what its files say.
 */
#ifndef PMEMSHIM_REACH_H
#define PMEMSHIM_REACH_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/loader.h"

/* The exit statuses of `check`, too. */
enum reach_verdict {
	REACH_YES,
	REACH_PARTLY,
	REACH_NO,
	REACH_UNKNOWN		/* the file could not be read */
};

extern const char *const reach_words[];

struct reach_texts {
	char **text;
	size_t n;
};

struct reach {
	char *name;		/* as it was asked for */
	char *path;		/* where it is; NULL: nowhere */
	const char *kind;	/* "dynamic", "static", "script", ... */
	enum reach_verdict verdict;
	struct reach_texts reasons;	/* of PARTLY, NO and UNKNOWN */
	struct reach_texts notes;
	struct loader loader;
	char *asan;		/* the runtime that must come first, or NULL */
	struct reach *interpreter;	/* of a script */
};

/*
 * The file that execvp(3) would execute for name, in memory of its own; NULL
 * and *status, 126 or 127, as env(1) would exit with.
 */
char *reach_find(const char *name, int *status);

/*
 * Judges the program of this name, found as a shell would find it; failing
 * that, the file in the working directory.
 */
struct reach *reach_judge(const char *name);
void reach_free(struct reach *reach);

/* All reasons, or what "yes" means here, in one line; memory of its own. */
char *reach_sentence(const struct reach *reach);

#endif
