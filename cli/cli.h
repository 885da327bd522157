/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli.h: what the subcommands of pmemshim share: how they are started, how
 * they speak and how they print numbers.
 *
 * Design: a subcommand is one file with one function, int cli_NAME(argc,
 * argv), listed in commands.def; argv[0] is "pmemshim NAME". It returns the
 * exit status. Results go to stdout, everything else to stderr, in one line.
 */
#ifndef PMEMSHIM_CLI_H
#define PMEMSHIM_CLI_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define COMMAND(name, help) int cli_##name(int argc, char **argv);
#include "cli/commands.def"
#undef COMMAND

/* Exit statuses, where a subcommand does not document its own. */
enum cli_status {
	CLI_OK = 0,
	CLI_FAILED = 1,		/* what was asked for could not be done */
	CLI_USAGE = 2,		/* the command line is wrong */
};

/*
 * Parses a subcommand's command line; --help and --version are there without
 * being asked for. Returns only when all is well; otherwise one line was said
 * and the process has exited with usage_status. The parser reports errors by
 * cli_usage(), never by argp_error() or argp_usage(), which say nothing here.
 * flags: those of argp_parse(), such as ARGP_IN_ORDER.
 */
void cli_parse(const struct argp *argp, int argc, char **argv,
	       unsigned int flags, int usage_status, void *input);

/* For parsers: one line, "pmemshim NAME: ...; see pmemshim NAME --help". */
_Noreturn void cli_usage(const struct argp_state *state, const char *format,
			 ...) __attribute__((format(printf, 2, 3)));

/*
 * "pmemshim: WHAT: WHY" in one line on stderr, whatever bytes are in it; "%m"
 * works. By convention format is "%s: %s".
 */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same as "pmemshim: warning: ...": the command goes on. */
void cli_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* No memory: says so and exits with CLI_FAILED. */
void *cli_alloc(size_t size);		/* zeroed */
void *cli_realloc(void *old, size_t size);
char *cli_format(const char *format, ...)	/* into memory of its own */
	__attribute__((format(printf, 1, 2)));
char *cli_strdup(const char *text);

/*
 * stdout is flushed and in order: returns status. Otherwise (a full disk)
 * says so and returns failed.
 */
int cli_close_stdout(int status, int failed);

/* --- On a terminal --------------------------------------------------- */

/* Colours and progress lines belong there: a terminal, and not a dumb one. */
bool cli_terminal(FILE *file);

/* NO_COLOR (no-color.org) turns colours, not progress, off. */
bool cli_colours(FILE *file);

enum cli_style { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_GOOD, CLI_FAIR, CLI_BAD };

/* The escape sequence that begins a style; "" where colours do not belong. */
const char *cli_style(FILE *file, enum cli_style style);

/* One that is printed over the last one; "" wipes it. Nothing elsewhere. */
void cli_progress(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* --- Text for people --------------------------------------------------- */

#define CLI_TEXT 32	/* room for any of these; each returns buf */

const char *cli_text_bytes(char buf[CLI_TEXT], uint64_t bytes);	/* 4 KiB */
const char *cli_text_time(char buf[CLI_TEXT], double ns);	/* 1.53 us */
const char *cli_text_count(char buf[CLI_TEXT], uint64_t count);	/* 1,234 */

/* Prints text with what would disturb a terminal or a line as '?'. */
void cli_print_text(FILE *file, const char *text);

/* "4K", "2m", "1G": a size as in PMEMSHIM_PATHS. False: it is none. */
bool cli_parse_size(const char *text, uint64_t *size);
bool cli_parse_number(const char *text, uint64_t min, uint64_t max,
		      uint64_t *number);

/* --- The library ---------------------------------------------------------*/

/*
 * The path of libpmemshim.so: named (unless NULL), beside this command (the
 * build tree), in ../lib relative to it, or where make install put it.
 * Absolute, in memory of its own; or NULL, and one line was said.
 */
char *cli_library(const char *named);

/*
 * The value of LD_PRELOAD that adds the library to old (may be NULL or
 * empty); in memory of its own. NULL, and one line was said, when the
 * library's path cannot stand there: ld.so has no way to write a space or a
 * colon.
 */
char *cli_preload(const char *library, const char *old);

/*
 * Says in one line why preloading will not, or only in part, reach the
 * program of this name, found as execvp(3) would. Silent when it does.
 * Returns 0, or the status that env(1) would exit with: 126 when it cannot be
 * executed, 127 when it is not found; then nothing was said.
 */
int cli_warn_unreached(const char *program);

#endif
