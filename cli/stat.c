/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stat.c: pmemshim stat: statistics files, also of running programs, as text
 * or JSON, added up by program or apart.
 *
 * Design: everything is read first, then shown, so that a file that is no
 * good is one line on stderr and the others are shown all the same.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/stat_find.h"
#include "cli/stats_read.h"
#include "shim/stats.h"

struct options {
	bool json, apart;
	double watch;		/* seconds; 0: once */
	char **targets;
	size_t ntargets;
};

enum state { RUNNING, ENDED, KILLED, REPLACED, STATES };

static const char *const state_words[STATES] = {
	[RUNNING] = "running",
	[ENDED] = "ended",
	[KILLED] = "killed or left by _exit",
	[REPLACED] = "replaced by exec",
};

/* What is shown as one: a process, or all that ran the same program. */
struct group {
	char program[sizeof(((struct stats_file_header *)0)->program)];
	struct stats_total total;
	size_t n;
	struct process {
		struct stats_file_header header;
		char *path;
		enum state state;
		bool tick_measured_here;
	} *processes;
};

struct report {
	struct group *groups;
	size_t n;
	size_t running;
	bool failed;		/* something was not as asked for */
};

/*
 * Reading
 */

static struct group *find_group(struct report *report, const char *program,
				bool apart)
{
	struct group *group;

	for (size_t i = 0; !apart && i < report->n; i++)
		if (!strcmp(report->groups[i].program, program))
			return &report->groups[i];
	report->groups = cli_realloc(report->groups, (report->n + 1) *
						     sizeof(struct group));
	group = &report->groups[report->n++];
	*group = (struct group){ 0 };
	snprintf(group->program, sizeof(group->program), "%s", program);
	return group;
}

static enum state state_of(const struct stats_snapshot *snapshot,
			   const char *path)
{
	if (snapshot->header.ended)
		return ENDED;
	if (!snapshot->alive)
		return KILLED;
	return stat_is_mapped(snapshot->header.pid, path) ? RUNNING : REPLACED;
}

static void add_snapshot(struct report *report, bool apart, const char *path,
			 const struct stats_snapshot *snapshot)
{
	struct group *group =
		find_group(report, snapshot->header.program, apart);
	struct process *process;

	stats_total_add(&group->total, snapshot);
	group->processes = cli_realloc(group->processes,
				       (group->n + 1) * sizeof(*process));
	process = &group->processes[group->n++];
	process->header = snapshot->header;
	process->path = cli_strdup(path);
	process->state = state_of(snapshot, path);
	process->tick_measured_here = snapshot->tick_measured_here;
	report->running += process->state == RUNNING;
}

static void read_files(struct report *report, bool apart,
		       const struct stat_files *files)
{
	struct stats_snapshot *snapshot;
	char why[256];

	for (size_t i = 0; i < files->n; i++) {
		if (stats_read(files->paths[i], &snapshot, why, sizeof(why))) {
			cli_error("%s: %s", files->paths[i], why);
			report->failed = true;
			continue;
		}
		add_snapshot(report, apart, files->paths[i], snapshot);
		stats_snapshot_free(snapshot);
	}
}

static void free_report(struct report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		struct group *group = &report->groups[i];

		for (size_t k = 0; k < group->n; k++)
			free(group->processes[k].path);
		free(group->processes);
		stats_total_free(&group->total);
	}
	free(report->groups);
}

/*
 * What is worked out
 */

/* The kernel's share of arm B's calls; all of arm A's are the kernel's. */
static double kernel_share(const struct stats_total_rule *rule,
			   enum stats_arm arm)
{
	const uint64_t a = rule->arms[STATS_ARM_KERNEL].calls;
	const uint64_t b = rule->arms[STATS_ARM_USER].calls;
	uint64_t n = 0;

	if (arm == STATS_ARM_KERNEL)
		return 1;
	for (unsigned int i = STATS_KERNEL_FIRST; i <= STATS_KERNEL_OVERTAKEN;
	     i++)
		if (i != STATS_KERNEL_COMMIT && i != STATS_KERNEL_PARTLY)
			n += rule->counters[i];
	n = n > a ? n - a : 0;
	return b ? fmin((double)n / (double)b, 1) : 0;
}

/* The word behind KEY= in the rule's options; false when it is not there. */
static bool option_of(const struct stats_total_rule *rule, const char *key,
		      char out[CLI_TEXT])
{
	const size_t len = strlen(key);
	const char *at = rule->options;

	for (; at; at = strchr(at, ','), at += at != NULL) {
		if (strncmp(at, key, len) || at[len] != '=')
			continue;
		snprintf(out, CLI_TEXT, "%.*s",
			 (int)strcspn(at + len + 1, ","), at + len + 1);
		return true;
	}
	return false;
}

/*
 * Text
 */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void print_states(const struct group *group)
{
	size_t count[STATES] = { 0 };
	const char *separator = ": ";

	for (size_t i = 0; i < group->n; i++)
		count[group->processes[i].state]++;
	for (int state = 0; state < STATES; state++) {
		if (!count[state])
			continue;
		printf("%s%zu %s", separator, count[state],
		       state_words[state]);
		separator = ", ";
	}
}

static void print_heading(const struct group *group)
{
	const struct process *first = &group->processes[0];

	fputs(cli_style(stdout, CLI_BOLD), stdout);
	if (group->n == 1)
		printf("libpmemshim: process %d (", first->header.pid);
	else
		printf("libpmemshim: %zu processes (", group->n);
	cli_print_text(stdout, base_name(group->program));
	fputs(")", stdout);
	if (group->n == 1)
		printf(": %s", state_words[first->state]);
	else
		print_states(group);
	printf("%s\n", cli_style(stdout, CLI_PLAIN));
}

static void print_time(double ns)
{
	char text[CLI_TEXT];

	printf(" %9s", isnan(ns) ? "-" : cli_text_time(text, ns));
}

static void print_arm(const struct stats_total_rule *rule, enum stats_arm which)
{
	static const char *const names[] = {
		[STATS_ARM_KERNEL] = "kernel", [STATS_ARM_USER] = "user",
	};
	static const double quantiles[] = { 0.5, 0.9, 0.99, 0.999 };
	const struct stats_total_arm *arm = &rule->arms[which];
	char text[CLI_TEXT];

	printf("  %-12s %12s", names[which], cli_text_count(text, arm->calls));
	printf(" %9s", cli_text_bytes(text, arm->bytes));
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(*quantiles); i++)
		/* A bucket's middle may lie above all that is in it. */
		print_time(fmin(stats_times_quantile(&arm->latency,
						     quantiles[i]),
				arm->max_ns));
	print_time(arm->max_ns);
	print_time(stats_times_quantile(&arm->between, 0.5));
	if (arm->block_calls)
		printf(" %8.3f", (double)arm->block_faults /
				 (double)arm->block_calls);
	else
		printf(" %8s", "-");
	printf(" %7.1f%%\n", 100 * kernel_share(rule, which));
}

static void print_arms(const struct stats_total_rule *rule)
{
	char mode[CLI_TEXT], heading[2 * CLI_TEXT] = "arm";

	if (option_of(rule, "mode", mode))
		snprintf(heading, sizeof(heading), "mode=%s", mode);
	printf("%s  %-12s %12s %9s %9s %9s %9s %9s %9s %9s %8s %8s%s\n",
	       cli_style(stdout, CLI_DIM), heading, "syncs", "bytes", "p50",
	       "p90", "p99", "p99.9", "max", "to next", "faults", "kernel's",
	       cli_style(stdout, CLI_PLAIN));
	for (int arm = 0; arm < STATS_ARMS; arm++)
		if (rule->arms[arm].calls)
			print_arm(rule, (enum stats_arm)arm);
}

static bool is_believed(const struct stats_total_belief *belief)
{
	return belief->samples[STATS_ARM_KERNEL] +
	       belief->samples[STATS_ARM_USER] > 0;
}

static void print_way(const struct stats_total_belief *belief,
		      enum stats_arm arm)
{
	if (belief->samples[arm])
		print_time(belief->cost_ns[arm]);
	else
		printf(" %9s", "-");
	if (belief->samples[arm])
		printf(" %8.2f", belief->faults[arm]);
	else
		printf(" %8s", "-");
}

static const char *chosen_word(const struct stats_total_belief *belief)
{
	if (belief->chosen[STATS_ARM_KERNEL] && belief->chosen[STATS_ARM_USER])
		return "both";
	return belief->chosen[STATS_ARM_USER] ? "user" : "kernel";
}

static void print_belief(const struct stats_total_belief *belief, size_t cell)
{
	char length[CLI_TEXT], text[CLI_TEXT], timed[CLI_TEXT];

	cli_text_bytes(length, UINT64_C(4096) << cell / 2);
	printf("  %-12s %9s", length, cell % 2 ? "4 KiB" : "2 MiB");
	print_way(belief, STATS_ARM_KERNEL);
	print_way(belief, STATS_ARM_USER);
	printf(" %8s %9s %7s\n", chosen_word(belief),
	       cli_text_count(timed, belief->samples[STATS_ARM_KERNEL] +
				     belief->samples[STATS_ARM_USER]),
	       cli_text_count(text, belief->tries));
}

/* What mode=auto believes a sync to cost, with the faults that follow it. */
static void print_beliefs(const struct stats_total_rule *rule)
{
	bool headed = false;

	for (size_t i = 0; i < STATS_CELLS; i++) {
		if (!is_believed(&rule->beliefs[i]))
			continue;
		if (!headed)
			printf("%s  %-12s %9s %9s %8s %9s %8s %8s %9s %7s%s\n",
			       cli_style(stdout, CLI_DIM), "syncs from",
			       "entries", "kernel", "faults", "user",
			       "faults", "chosen", "timed", "tries",
			       cli_style(stdout, CLI_PLAIN));
		headed = true;
		print_belief(&rule->beliefs[i], i);
	}
}

static void print_rule(const struct stats_total_rule *rule)
{
	bool any = false;

	fputs("rule ", stdout);
	cli_print_text(stdout, rule->path);
	putchar('\n');
	for (unsigned int i = 0; i < STATS_COUNTERS; i++) {
		if (!rule->counters[i])
			continue;
		printf("%12" PRIu64 "  %s\n", rule->counters[i],
		       stats_text((enum stats_counter)i));
		any = true;
	}
	if (!any)
		puts("           0  mappings under this rule");
	if (rule->arms[STATS_ARM_KERNEL].calls ||
	    rule->arms[STATS_ARM_USER].calls)
		print_arms(rule);
	print_beliefs(rule);
}

static void print_text(const struct report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		const struct group *group = &report->groups[i];

		if (i > 0)
			putchar('\n');
		print_heading(group);
		for (size_t k = 0; k < group->total.nrules; k++)
			print_rule(group->total.rules[k]);
	}
}

/*
 * JSON
 */

static void json_times(struct json *json, const char *key,
		       const struct stats_times *times, double max_ns)
{
	json_object(json, key);
	json_real(json, "p50", stats_times_quantile(times, 0.5));
	json_real(json, "p90", stats_times_quantile(times, 0.9));
	json_real(json, "p99", stats_times_quantile(times, 0.99));
	json_real(json, "p99.9", stats_times_quantile(times, 0.999));
	if (!isnan(max_ns))
		json_real(json, "max", max_ns);
	json_close(json);
}

static void json_arm(struct json *json, const struct stats_total_rule *rule,
		     enum stats_arm which)
{
	const struct stats_total_arm *arm = &rule->arms[which];

	json_object(json, which == STATS_ARM_KERNEL ? "kernel" : "user");
	json_uint(json, "calls", arm->calls);
	json_uint(json, "bytes", arm->bytes);
	json_real(json, "kernel_share",
		  arm->calls ? kernel_share(rule, which) : NAN);
	json_real(json, "sync_ns", arm->sync_ns);
	json_times(json, "latency_ns", &arm->latency, arm->max_ns);
	json_uint(json, "latency_calls", arm->latency.n);
	json_uint(json, "between_calls", arm->between_calls);
	json_real(json, "between_ns", arm->between_ns);
	json_times(json, "to_next_ns", &arm->between, NAN);
	json_uint(json, "blocks", arm->blocks);
	json_uint(json, "block_calls", arm->block_calls);
	json_real(json, "block_ns", arm->block_ns);
	json_uint(json, "block_faults", arm->block_faults);
	json_close(json);
}

static void json_way(struct json *json, const struct stats_total_belief *belief,
		     enum stats_arm arm)
{
	json_object(json, arm == STATS_ARM_KERNEL ? "kernel" : "user");
	json_uint(json, "samples", belief->samples[arm]);
	if (belief->samples[arm]) {
		json_real(json, "cost_ns", belief->cost_ns[arm]);
		json_real(json, "sync_ns", belief->sync_ns[arm]);
		json_real(json, "faults", belief->faults[arm]);
	}
	json_close(json);
}

static void json_beliefs(struct json *json, const struct stats_total_rule *rule)
{
	json_array(json, "learned");
	for (size_t i = 0; i < STATS_CELLS; i++) {
		const struct stats_total_belief *belief = &rule->beliefs[i];

		if (!is_believed(belief))
			continue;
		json_object(json, NULL);
		json_uint(json, "from_bytes", UINT64_C(4096) << i / 2);
		json_uint(json, "entry_bytes", i % 2 ? 4096 : 2097152);
		json_string(json, "chosen", chosen_word(belief));
		json_uint(json, "changes", belief->changes);
		json_uint(json, "tries", belief->tries);
		json_way(json, belief, STATS_ARM_KERNEL);
		json_way(json, belief, STATS_ARM_USER);
		json_close(json);
	}
	json_close(json);
}

static void json_rule(struct json *json, const struct stats_total_rule *rule)
{
	json_object(json, NULL);
	json_string(json, "path", rule->path);
	json_string(json, "options", rule->options);
	json_uint(json, "block", rule->block_len);
	json_object(json, "counters");
	for (unsigned int i = 0; i < STATS_COUNTERS; i++)
		json_uint(json, stats_text((enum stats_counter)i),
			  rule->counters[i]);
	json_close(json);
	json_object(json, "arms");
	json_arm(json, rule, STATS_ARM_KERNEL);
	json_arm(json, rule, STATS_ARM_USER);
	json_close(json);
	json_beliefs(json, rule);
	json_close(json);
}

static void json_process(struct json *json, const struct process *process)
{
	static const char *const words[STATES] = { "running", "ended",
						   "killed", "replaced" };
	const struct stats_file_header *header = &process->header;

	json_object(json, NULL);
	json_int(json, "pid", header->pid);
	json_int(json, "ppid", header->ppid);
	json_string(json, "state", words[process->state]);
	json_string(json, "file", process->path);
	json_real(json, "started", (double)header->start_realtime / 1e9);
	json_string(json, "version", header->shim_version);
	/* A string: JSON's numbers end at 2^53. */
	json_stringf(json, "seed", "%" PRIu64, header->seed);
	json_string(json, "clock",
		    header->clock == STATS_CLOCK_TSC ? "tsc" : "monotonic");
	json_string(json, "flush", header->flush);
	json_string(json, "stream", header->stream);
	json_close(json);
}

static void print_json(const struct report *report)
{
	struct json json;

	json_begin(&json, stdout);
	json_object(&json, NULL);
	json_array(&json, "programs");
	for (size_t i = 0; i < report->n; i++) {
		const struct group *group = &report->groups[i];

		json_object(&json, NULL);
		json_string(&json, "program", group->program);
		json_array(&json, "processes");
		for (size_t k = 0; k < group->n; k++)
			json_process(&json, &group->processes[k]);
		json_close(&json);
		json_array(&json, "rules");
		for (size_t k = 0; k < group->total.nrules; k++)
			json_rule(&json, group->total.rules[k]);
		json_close(&json);
		json_close(&json);
	}
	json_close(&json);
	json_close(&json);
	json_end(&json);
}

/*
 * The command
 */

/* Once; false when something could not be shown. */
static bool show(const struct options *options, const struct stat_files *pids,
		 struct report *report)
{
	struct stat_files files = { 0 };

	*report = (struct report){ 0 };
	for (size_t i = 0; i < options->ntargets; i++)
		if (!stat_is_process(options->targets[i]) &&
		    !stat_find(&files, options->targets[i]))
			report->failed = true;
	read_files(report, options->apart, pids);
	read_files(report, options->apart, &files);
	stat_files_free(&files);
	if (options->watch > 0 && cli_terminal(stdout))
		fputs("\033[H\033[J", stdout);
	if (options->json)
		print_json(report);
	else
		print_text(report);
	fflush(stdout);
	return !report->failed;
}

static void wait_for(double seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds };

	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

static bool only_processes(const struct options *options)
{
	for (size_t i = 0; i < options->ntargets; i++)
		if (!stat_is_process(options->targets[i]))
			return false;
	return true;
}

/* A process is looked up once: its file is still there when it is not. */
static int run(const struct options *options)
{
	const bool can_end = only_processes(options);
	struct stat_files pids = { 0 };
	struct report report;
	bool good = true;

	for (size_t i = 0; i < options->ntargets; i++)
		if (stat_is_process(options->targets[i]))
			good &= stat_find(&pids, options->targets[i]);
	for (;;) {
		bool over;

		good &= show(options, &pids, &report);
		over = options->watch <= 0 || ferror(stdout) ||
		       (can_end && report.running == 0);
		free_report(&report);
		if (over)
			break;
		wait_for(options->watch);
		if (!cli_terminal(stdout) && !options->json)
			putchar('\n');
	}
	stat_files_free(&pids);
	return cli_close_stdout(good ? CLI_OK : CLI_FAILED, CLI_FAILED);
}

static double parse_seconds(const char *text, const struct argp_state *state)
{
	char *end;
	double seconds;

	if (!text)
		return 2;
	seconds = strtod(text, &end);
	if (end == text || *end || !(seconds >= 0.1 && seconds <= 86400))
		cli_usage(state, "--watch=%s: 0.1 to 86400 seconds", text);
	return seconds;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'w':
		options->watch = parse_seconds(arg, state);
		return 0;
	case 'j':
		options->json = true;
		return 0;
	case 'a':
		options->apart = true;
		return 0;
	case ARGP_KEY_ARG:
		/* argp has put the options first. */
		options->targets = state->argv + state->next - 1;
		options->ntargets = (size_t)(state->argc - state->next) + 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		cli_usage(state, "no file, directory or process was given");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cli_stat(int argc, char **argv)
{
	static const struct argp_option table[] = {
		{ "watch", 'w', "SECONDS", OPTION_ARG_OPTIONAL,
		  "Show them again and again, every 2 seconds by default", 0 },
		{ "apart", 'a', NULL, 0,
		  "Every process for itself, not added up by program", 0 },
		{ "json", 'j', NULL, 0, "For programs", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = table,
		.parser = parse,
		.args_doc = "FILE|DIR|PID...",
		.doc = "Show the statistics that programs keep under PMEMSHIM_STATS."
		       "\v"
		       "FILE stands for itself and for FILE.PID, which other processes were given; "
		       "%p in it is any process id. DIR stands for every statistics file in it. "
		       "PID is a process that runs. The exit status is 1 when something could not be read.",
	};
	struct options options = { 0 };

	cli_parse(&argp, argc, argv, 0, CLI_USAGE, &options);
	return run(&options);
}
