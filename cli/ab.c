/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ab.c: pmemshim ab: both ways of syncing on an unmodified program, compared.
 *
 * Design: see ab.h. This file reads the command line, looks whether there is
 * anything to compare before the first run, and says the result.
 */
#include "cli/ab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/cli.h"
#include "cli/report.h"
#include "config/config.h"

enum { DEFAULT_RUNS = 10, DEFAULT_WARMUP = 1 };

/* Options without a letter. */
enum { KEY_SEED = 0x100, KEY_SETUP, KEY_CHECK, KEY_REPORT, KEY_JSON };

static const struct argp_option options[] = {
	{.name = "runs",
	 .key = 'n',
	 .arg = "RUNS",
	 .doc = "How often each arm is run (default 10; 6 are the fewest that "
		"a claim on whole runs is made of)"},
	{.name = "arms",
	 .key = 'a',
	 .arg = "LIST",
	 .doc = "Of bare (no shim), kernel (arm A), flush (arm B), ab (both "
		"in turns), separated by commas (default: these four), and "
		"kernel/small, kernel/huge, flush/small, flush/huge (the same "
		"with pages=small or huge), auto (whichever is learned to be "
		"the cheapest)"},
	{.name = "paths",
	 .key = 'p',
	 .arg = "RULES",
	 .doc = "Which files, and how, as in PMEMSHIM_PATHS; each arm sets its "
		"own mode, but mode=off stays (default: PMEMSHIM_PATHS, else "
		"every DAX mount)"},
	{.name = "block",
	 .key = 'b',
	 .arg = "SYNCS",
	 .doc = "How many syncs in a row the ab arm gives to A or to B "
		"(default: as the rules say)"},
	{.name = "warmup",
	 .key = 'w',
	 .arg = "ROUNDS",
	 .doc = "Rounds that are not measured, at the start (default 1)"},
	{.name = "seed",
	 .key = KEY_SEED,
	 .arg = "N",
	 .doc = "Draw the same order and the same resamples again (default: "
		"another one each time; it is reported)"},
	{.name = "setup",
	 .key = KEY_SETUP,
	 .arg = "COMMAND",
	 .doc = "Run COMMAND by the shell before each run, unmeasured"},
	{.name = "check",
	 .key = KEY_CHECK,
	 .arg = "COMMAND",
	 .doc = "Run COMMAND by the shell after each run; if it fails there "
		"is no comparison"},
	{.name = "report",
	 .key = KEY_REPORT,
	 .arg = "FILE.html",
	 .doc = "Write a page with tables and graphs"},
	{.name = "json", .key = KEY_JSON, .doc = "Print all of it as JSON"},
	{.name = "library",
	 .key = 'L',
	 .arg = "FILE",
	 .doc = "The libpmemshim.so to use (default: the one that belongs to "
		"this command)"},
	{0},
};

/* --- The command line -------------------------------------------------- */

static int find_arm(const char *name, size_t len)
{
	for (int arm = 0; arm < AB_ARMS; arm++)
		if (strlen(ab_arm_names[arm]) == len &&
		    !memcmp(ab_arm_names[arm], name, len))
			return arm;
	return -1;
}

static void read_arms(const struct argp_state *state, const char *list,
		      bool arms[AB_ARMS])
{
	size_t len;
	int arm;

	memset(arms, 0, AB_ARMS * sizeof(*arms));
	for (;; list += len + 1) {
		len = strcspn(list, ",");
		arm = find_arm(list, len);
		if (arm < 0)
			cli_usage(
			    state,
			    "--arms: '%.*s' is not one of bare, kernel, flush, ab, kernel/small, kernel/huge, flush/small, flush/huge, auto",
			    (int)len, list);
		if (arms[arm])
			cli_usage(state, "--arms: %s is given twice",
				  ab_arm_names[arm]);
		arms[arm] = true;
		if (!list[len])
			return;
	}
}

static void read_number(const struct argp_state *state, const char *name,
			const char *text, uint64_t min, uint64_t max,
			uint64_t *number)
{
	if (!cli_parse_number(text, min, max, number))
		cli_usage(state, "%s: '%s' is not a number from %llu to %llu",
			  name, text, (unsigned long long)min,
			  (unsigned long long)max);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct ab_options *into = state->input;

	switch (key) {
	case 'n':
		read_number(state, "--runs", arg, 1, 100000, &into->runs);
		break;
	case 'a':
		read_arms(state, arg, into->arms);
		break;
	case 'p':
		into->rules = arg;
		break;
	case 'b':
		read_number(state, "--block", arg, 1, 65536, &into->block);
		break;
	case 'w':
		read_number(state, "--warmup", arg, 0, 100000, &into->warmup);
		break;
	case KEY_SEED:
		read_number(state, "--seed", arg, 0, UINT64_MAX, &into->seed);
		break;
	case KEY_SETUP:
		into->setup = arg;
		break;
	case KEY_CHECK:
		into->check = arg;
		break;
	case KEY_REPORT:
		into->report = arg;
		break;
	case KEY_JSON:
		into->json = true;
		break;
	case 'L':
		into->library = arg;
		break;
	case ARGP_KEY_ARGS:
		into->command = state->argv + state->next;
		into->words = (size_t)(state->argc - state->next);
		break;
	case ARGP_KEY_NO_ARGS:
		cli_usage(state, "no command to run");
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* --- Before the first run ---------------------------------------------- */

/* 0, or the exit status; then one line was said. */
static int find_program(const struct ab_options *from)
{
	int status = cli_warn_unreached(from->command[0]);

	if (status == 0)
		return 0;
	cli_error("%s: %s", from->command[0],
		  status == 127 ? "not found" : "cannot be executed");
	return CLI_FAILED;
}

static int find_library(struct ab *ab)
{
	const char *old = secure_getenv("LD_PRELOAD");

	if (old && strstr(old, "libpmemshim")) {
		cli_error(
		    "LD_PRELOAD holds libpmemshim already: no arm would be without it");
		return CLI_FAILED;
	}
	ab->environment.library = cli_library(ab->options.library);
	if (!ab->environment.library)
		return CLI_FAILED;
	ab->preload = cli_preload(ab->environment.library, old);
	return ab->preload ? 0 : CLI_FAILED;
}

/*
 * What the shim would make of the rules, said now and not once for each run
 * into an output that nobody sees.
 */
static int find_rules(struct ab *ab, struct config *config)
{
	const char *given = ab->options.rules;
	struct config_env env;

	config_read_env(&env, false);
	if (!given)
		given = env.paths && *env.paths ? env.paths : "auto";
	ab->environment.rules = cli_strdup(given);
	env.paths = given;
	env.stats = env.seed = NULL;
	log_init();
	config_parse(&env, "/proc/self/mountinfo", "/sys", config);
	/* A broken list has been complained of; a good one may be empty. */
	if (config->nrules > 0)
		return 0;
	cli_error("no rule in '%s' applies here%s", given,
		  !strcmp(given, "auto")
		      ? ": no file system with DAX is mounted; see --paths"
		      : "");
	return CLI_FAILED;
}

static void fill_defaults(struct ab_options *into)
{
	into->runs = DEFAULT_RUNS;
	into->warmup = DEFAULT_WARMUP;
	for (int arm = 0; arm < AB_USUAL; arm++)
		into->arms[arm] = true;
	/* Short enough to be typed again. */
	if (getrandom(&into->seed, sizeof(into->seed), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(into->seed))
		into->seed = 1;
	into->seed %= 1000000000;
}

/* --- After the last run ------------------------------------------------ */

static int say(struct ab *ab, FILE *page, int status)
{
	if (ab->voided)
		cli_error("no comparison: %s", ab->voided);
	else
		ab_judge(ab);
	if (ab->unreadable)
		cli_warn("%zu statistics files were left out: %s",
			 ab->unreadable, ab->unreadable_why);
	if (ab->options.json)
		ab_show_json(ab);
	else if (!ab->voided)
		ab_show_text(ab);
	if (page && report_close(ab, page) && status == 0)
		status = CLI_FAILED;
	return cli_close_stdout(status, CLI_FAILED);
}

/* All that is left is the system's to take back. */
int cli_ab(int argc, char **argv)
{
	static const struct argp argp = {
	    options,
	    parse,
		"[--] COMMAND [ARGUMENT...]",
		"Run COMMAND without the shim (bare), with every msync left to "
		"the kernel (arm A), persisted from user space (arm B), and by "
		"both in turns within one run (ab), and say which is faster by "
		"how much, with 95 % intervals."
		"\v"
		"Times and counts are of COMMAND and the children it waited for. Its "
		"output is kept out of the way; when it fails its last "
		"lines are shown. Run it on files that it may change: --setup "
		"puts them back. --setup and --check find the arm in "
		"PMEMSHIM_AB_ARM and the round (0: warm-up) in PMEMSHIM_AB_ROUND.\n"
		"\n"
		"Exit status: 0 compared, 1 something failed, 2 wrong usage, "
		"3 --check failed.",
	    NULL,
	    NULL,
	    NULL};
	struct ab *ab = cli_alloc(sizeof(*ab));
	static struct config config;
	FILE *page = NULL;
	int status;

	fill_defaults(&ab->options);
	cli_parse(&argp, argc, argv, ARGP_IN_ORDER, CLI_USAGE, &ab->options);
	status = find_program(&ab->options);
	if (status == 0)
		status = find_library(ab);
	if (status == 0)
		status = find_rules(ab, &config);
	if (status == 0 && ab->options.report) {
		page = report_open(ab->options.report);
		status = page ? 0 : CLI_FAILED;
	}
	if (status)
		return status;
	ab_environment_fill(ab, &config);
	status = ab_run_all(ab);
	return say(ab, page, status);
}
