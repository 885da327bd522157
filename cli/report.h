/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * report.h: a comparison as one page of HTML that needs nothing else.
 */
#ifndef PMEMSHIM_REPORT_H
#define PMEMSHIM_REPORT_H

#include <stdio.h>

#include "cli/ab.h"

/* Before the runs, which may take hours. NULL, and one line was said. */
FILE *report_open(const char *path);

/* Writes and closes it; 0, or -1 and one line was said. */
int report_close(const struct ab *ab, FILE *page);

/* --- Private to report*.c ---------------------------------------------- */

/* text with what HTML would understand made harmless. */
void report_text(FILE *page, const char *text);

/* Graphs; nothing where there is nothing to draw. */
void report_ratios(FILE *page, const struct ab *ab);
void report_latencies(FILE *page, const struct ab *ab);
void report_runs(FILE *page, const struct ab *ab);

#endif
