/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cli.c: how the subcommands take their arguments and speak, see cli.h.
 *
 * Design: the command stays in the C locale, so that numbers look the same
 * everywhere and can be read by programs.
 */
#include "cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Errors ------------------------------------------------------------- */

void cli_print_text(FILE *file, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		putc(c < 0x20 || c == 0x7f ? '?' : c, file);
	}
}

static void say(const char *prefix, const char *format, va_list args)
{
	char *text;

	/* First of all: whatever else is called may change what %m is. */
	if (vasprintf(&text, format, args) < 0)
		return;
	cli_progress("%s", "");
	fputs(prefix, stderr);
	cli_print_text(stderr, text);
	putc('\n', stderr);
	free(text);
}

void cli_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("pmemshim: ", format, args);
	va_end(args);
}

void cli_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("pmemshim: warning: ", format, args);
	va_end(args);
}

static _Noreturn void out_of_memory(void)
{
	fputs("pmemshim: out of memory\n", stderr);
	exit(CLI_FAILED);
}

void *cli_alloc(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory)
		out_of_memory();
	return memory;
}

void *cli_realloc(void *old, size_t size)
{
	void *memory = realloc(old, size ? size : 1);

	if (!memory)
		out_of_memory();
	return memory;
}

char *cli_format(const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		out_of_memory();
	return text;
}

char *cli_strdup(const char *text)
{
	return cli_format("%s", text);
}

int cli_close_stdout(int status, int failed)
{
	bool bad = ferror(stdout);

	errno = 0;
	if (fclose(stdout) == 0 && !bad)
		return status;
	cli_error("standard output: %s",
		  errno ? strerror(errno) : "write error");
	return failed;
}

/* --- The command line ----------------------------------------------------- */

/*
 * Between argp and a subcommand's parser. argp adds a second line ("Try ...")
 * to every error; without err_stream it leaves that out, and returns.
 */
struct wrapped {
	const struct argp *argp;
	void *input;
	int status;
};

static int usage_exit = CLI_USAGE;

void cli_usage(const struct argp_state *state, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		out_of_memory();
	va_end(args);
	fprintf(stderr, "%s: ", state->name);
	cli_print_text(stderr, text);
	fprintf(stderr, "; see %s --help\n", state->name);
	exit(usage_exit);
}

static error_t wrapped_parser(int key, char *arg, struct argp_state *state)
{
	struct wrapped *wrapped = state->input;
	error_t err;

	if (key == ARGP_KEY_INIT)
		state->err_stream = NULL;
	state->input = wrapped->input;
	err = wrapped->argp->parser(key, arg, state);
	state->input = wrapped;
	/* Asked with each argument first, then with all that are left. */
	if (err == ARGP_ERR_UNKNOWN && key == ARGP_KEY_ARGS)
		cli_usage(state, "%s: unexpected argument",
			  state->argv[state->next]);
	return err;
}

void cli_parse(const struct argp *argp, int argc, char **argv,
	       unsigned int flags, int usage_status, void *input)
{
	struct wrapped wrapped = {argp, input, usage_status};
	struct argp outer = *argp;
	error_t err;

	argp_program_version = "pmemshim " PMEMSHIM_VERSION;
	outer.parser = wrapped_parser;
	usage_exit = usage_status;
	err = argp_parse(&outer, argc, argv, flags, NULL, &wrapped);
	if (err == 0)
		return;
	/* Of EINVAL, a bad option, getopt has spoken. */
	if (err != EINVAL)
		cli_error("%s", strerror(err));
	exit(usage_status);
}

/* --- The terminal --------------------------------------------------------- */

bool cli_terminal(FILE *file)
{
	const char *term = getenv("TERM");

	return isatty(fileno(file)) && term && strcmp(term, "dumb");
}

bool cli_colours(FILE *file)
{
	const char *none = getenv("NO_COLOR");

	return cli_terminal(file) && (!none || !*none);
}

const char *cli_style(FILE *file, enum cli_style style)
{
	static const char *const sequences[] = {
		[CLI_PLAIN] = "\033[0m", [CLI_BOLD] = "\033[1m",
		[CLI_DIM] = "\033[2m",	 [CLI_GOOD] = "\033[32m",
		[CLI_FAIR] = "\033[33m", [CLI_BAD] = "\033[31m",
	};

	return cli_colours(file) ? sequences[style] : "";
}

void cli_progress(const char *format, ...)
{
	static bool shown;
	va_list args;
	char *text;

	va_start(args, format);
	if (!cli_terminal(stderr) || vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (!text)
		return;
	if (shown)
		fputs("\r\033[K", stderr);
	cli_print_text(stderr, text);
	fflush(stderr);
	shown = *text != '\0';
	free(text);
}

/* --- Numbers -------------------------------------------------------------- */

/* Three digits that count: 1.53, 15.3, 153. */
static const char *three_digits(char buf[CLI_TEXT], double value,
				const char *unit)
{
	int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(buf, CLI_TEXT, "%.*f %s", digits, value, unit);
	return buf;
}

const char *cli_text_bytes(char buf[CLI_TEXT], uint64_t bytes)
{
	static const char *const units[] = {"B",   "KiB", "MiB", "GiB",
					    "TiB", "PiB", "EiB"};
	double value = (double)bytes;
	unsigned int unit = 0;

	while (value >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	if (bytes == (bytes >> (10 * unit)) << (10 * unit))
		snprintf(buf, CLI_TEXT, "%" PRIu64 " %s", bytes >> (10 * unit),
			 units[unit]);
	else
		three_digits(buf, value, units[unit]);
	return buf;
}

const char *cli_text_time(char buf[CLI_TEXT], double ns)
{
	if (ns < 999.5)
		return three_digits(buf, ns, "ns");
	if (ns < 999.5e3)
		return three_digits(buf, ns / 1e3, "us");
	if (ns < 999.5e6)
		return three_digits(buf, ns / 1e6, "ms");
	if (ns < 100e9)
		return three_digits(buf, ns / 1e9, "s");
	snprintf(buf, CLI_TEXT, "%.0f s", ns / 1e9);
	return buf;
}

const char *cli_text_count(char buf[CLI_TEXT], uint64_t count)
{
	char digits[CLI_TEXT];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	char *to = buf;
	int i;

	for (i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return buf;
}

bool cli_parse_number(const char *text, uint64_t min, uint64_t max,
		      uint64_t *number)
{
	char *end;

	/* strtoull takes white space and signs. */
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *number >= min && *number <= max;
}

bool cli_parse_size(const char *text, uint64_t *size)
{
	static const char units[] = "KMGTkmgt";
	const char *unit;
	char *end;
	uint64_t number;
	unsigned int shift = 0;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (*end) {
		unit = strchr(units, *end);
		if (!unit || end[1])
			return false;
		shift = 10 * (1 + (unsigned int)(unit - units) % 4);
	}
	*size = number << shift;
	return errno == 0 && *size >> shift == number;
}
