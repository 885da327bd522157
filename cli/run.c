/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * run.c: pmemshim run: a program with the shim, in place of this process.
 *
 * Design: what the options say becomes the environment variables that the
 * shim reads; then exec. Nothing stays behind, so signals, the terminal and
 * the exit status are the program's own.
 */
#include "cli/cli.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/reach.h"
#include "cli/setting.h"

/* As env(1) exits: of its own failures, and of the program's. */
#define STATUS_OWN		125
#define STATUS_NOT_EXECUTED	126
#define STATUS_NOT_FOUND	127

struct arguments {
	const char *rules, *mode, *stats, *log, *library;
	bool quiet;
	char **command;
};

static const struct argp_option options[] = {
	{.name = "paths", .key = 'p', .arg = "RULES",
	 .doc = "Which files, and how: PATH[,KEY=VALUE...][;...] as in "
		"PMEMSHIM_PATHS (default: every DAX mount)"},
	{.name = "mode", .key = 'm', .arg = "MODE",
	 .doc = "flush, kernel, ab or off, for rules that do not say"},
	{.name = "stats", .key = 's', .arg = "FILE|DIR",
	 .doc = "Keep statistics there; %p in it stands for the process id"},
	{.name = "log", .key = 'l', .arg = "LEVEL",
	 .doc = "error, warn, info (why a mapping was refused) or trace"},
	{.name = "library", .key = 'L', .arg = "FILE",
	 .doc = "The libpmemshim.so to use (default: the one that belongs to "
		"this command)"},
	{.name = "quiet", .key = 'q',
	 .doc = "Do not check the program first and warn"},
	{0},
};

/* What the shim would only warn of and ignore. */
static const char *checked(const struct argp_state *state, const char *option,
			   const char *setting, const char *text)
{
	const char *form = setting_refused(setting, text);

	if (form)
		cli_usage(state, "--%s=%s: expected %s", option, text, form);
	return text;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'p':
		arguments->rules = arg;
		return 0;
	case 'm':
		arguments->mode = checked(state, "mode", "mode", arg);
		return 0;
	case 's':
		arguments->stats = arg;
		return 0;
	case 'l':
		arguments->log = checked(state, "log", "PMEMSHIM_LOG", arg);
		return 0;
	case 'L':
		arguments->library = arg;
		return 0;
	case 'q':
		arguments->quiet = true;
		return 0;
	case ARGP_KEY_ARGS:
		arguments->command = state->argv + state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		cli_usage(state, "no program was named");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static bool set(const char *name, const char *value)
{
	if (setenv(name, value, 1) == 0)
		return true;
	cli_error("%s: %m", name);
	return false;
}

/* The keys of PMEMSHIM_DEFAULTS but mode, which may stand there only once. */
static bool set_mode(const char *mode)
{
	const char *old = getenv("PMEMSHIM_DEFAULTS");
	char *defaults = cli_format("mode=%s", mode);
	bool ok;

	while (old && *old) {
		size_t len = strcspn(old, ",");

		if (len > 0 && strncmp(old, "mode=", 5)) {
			char *longer = cli_format("%s,%.*s", defaults,
						  (int)len, old);

			free(defaults);
			defaults = longer;
		}
		old += len + (old[len] == ',');
	}
	ok = set("PMEMSHIM_DEFAULTS", defaults);
	free(defaults);
	return ok;
}

/* Absolute, so that it is one place wherever the program goes. */
static bool set_stats(const char *stats)
{
	char cwd[PATH_MAX];
	char *path;
	bool ok;

	if (*stats == '/' || *stats == '\0')
		return set("PMEMSHIM_STATS", stats);
	if (!getcwd(cwd, sizeof(cwd))) {
		cli_error("the working directory: %m");
		return false;
	}
	path = cli_format("%s/%s", cwd, stats);
	ok = set("PMEMSHIM_STATS", path);
	free(path);
	return ok;
}

static bool set_environment(const struct arguments *arguments)
{
	return (!arguments->rules || set("PMEMSHIM_PATHS", arguments->rules)) &&
	       (!arguments->mode || set_mode(arguments->mode)) &&
	       (!arguments->stats || set_stats(arguments->stats)) &&
	       (!arguments->log || set("PMEMSHIM_LOG", arguments->log));
}

/* AddressSanitizer's runtime wants to be the first of all. */
static bool set_preload(const char *library, const char *asan)
{
	const char *old = getenv("LD_PRELOAD");
	char *before = NULL, *value;
	bool ok = false;

	if (asan && (!old || !strstr(old, "libasan.so")))
		before = cli_format("%s%s%s", asan, old && *old ? ":" : "",
				    old ? old : "");
	value = cli_preload(library, before ? before : old);
	if (value)
		ok = set("LD_PRELOAD", value);
	free(before);
	free(value);
	return ok;
}

static void warn(const struct reach *reach)
{
	char *sentence;

	if (reach->verdict != REACH_NO && reach->verdict != REACH_PARTLY)
		return;
	sentence = reach_sentence(reach);
	cli_warn("%s: preloading will %s reach it: %s", reach->name,
		 reach->verdict == REACH_NO ? "not" : "only partly", sentence);
	free(sentence);
}

int cli_warn_unreached(const char *program)
{
	int status;
	char *path = reach_find(program, &status);
	struct reach *reach;

	if (!path)
		return status;
	reach = reach_judge(path);
	warn(reach);
	reach_free(reach);
	free(path);
	return 0;
}

static bool prepare(const struct arguments *arguments, const char *path)
{
	char *library = cli_library(arguments->library);
	struct reach *reach = reach_judge(path);
	bool ok;

	ok = library && set_preload(library, reach->asan) &&
	     set_environment(arguments);
	if (ok && !arguments->quiet)
		warn(reach);
	reach_free(reach);
	free(library);
	return ok;
}

static bool is_elf(const char *path)
{
	char magic[SELFMAG] = "";
	int fd = loader_open(path);

	if (fd < 0)
		return false;
	if (pread(fd, magic, sizeof(magic), 0) < 0)
		magic[0] = '\0';
	close(fd);
	return !memcmp(magic, ELFMAG, sizeof(magic));
}

/*
 * As execvp(3), which has a shell run what the kernel does not know, but not
 * an ELF file: the shell's complaints about that are no help.
 */
static int execute(const char *path, char **command)
{
	int err;

	execv(path, command);
	if (errno == ENOEXEC && !is_elf(path))
		execvp(path, command);
	err = errno;
	cli_error("%s: %s", command[0], strerror(err));
	return err == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTED;
}

int cli_run(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[--] PROGRAM [ARGUMENT...]",
		.doc = "Runs PROGRAM with libpmemshim.so preloaded, after whatever LD_PRELOAD "
		       "names already. What no option says, the environment does.\v"
		       "The exit status is PROGRAM's; 126 if it cannot be executed, 127 if it "
		       "is not found, 125 if something else failed.\n\n"
		       "Example:\n\n  pmemshim run -p /mnt/pmem -s /tmp/stats -- gdbmtool /mnt/pmem/data.gdbm",
	};
	struct arguments arguments = {0};
	char *path;
	int status;

	cli_parse(&argp, argc, argv, ARGP_IN_ORDER, STATUS_OWN, &arguments);
	path = reach_find(arguments.command[0], &status);
	if (!path) {
		cli_error("%s: %s", arguments.command[0],
			  strerror(status == STATUS_NOT_FOUND ? ENOENT
							      : EACCES));
		return status;
	}
	if (!prepare(&arguments, path)) {
		free(path);
		return STATUS_OWN;
	}
	status = execute(path, arguments.command);
	free(path);
	return status;
}
