/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ab_run.c: runs the command under each arm and collects what it cost.
 *
 * Design: every round has each arm once, in an order drawn by the seed, so
 * that what changes slowly falls on all arms alike. The command's output goes
 * to a file without a name, of which only the end is ever shown. Statistics
 * go to a directory in memory, where writing them costs the least.
 */
#include "cli/ab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "shim/stats.h"

/* --- Signals ----------------------------------------------------------- */

static volatile sig_atomic_t stopped; /* by this signal */
static volatile sig_atomic_t child;

static void on_signal(int number)
{
	stopped = number;
	if (child > 0)
		kill((pid_t)child, number);
}

static const int ends[] = {SIGINT, SIGTERM, SIGHUP};

/* What was ignored when we came (nohup) stays so. */
static void catch_signals(void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler}, old;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (sigaction(ends[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			sigaction(ends[i], &action, NULL);
}

/* --- The scratch directory --------------------------------------------- */

static char *make_scratch(void)
{
	const char *bases[] = {secure_getenv("TMPDIR"), "/dev/shm", "/tmp"};
	char *path;

	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		if (!bases[i] || !*bases[i])
			continue;
		path = cli_format("%s/pmemshim-ab.XXXXXX", bases[i]);
		if (mkdtemp(path))
			return path;
		free(path);
	}
	cli_error("no directory for the statistics: %s",
		  strerrordesc_np(errno));
	return NULL;
}

typedef void (*file_fn)(const char *path, void *arg);

static void each_file(const char *dir, file_fn fn, void *arg)
{
	struct dirent *entry;
	DIR *list = opendir(dir);
	char *path;

	if (!list)
		return;
	/* Only this thread reads this directory. */
	while ((entry = readdir(list))) { /* NOLINT(concurrency-mt-unsafe) */
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		path = cli_format("%s/%s", dir, entry->d_name);
		fn(path, arg);
		free(path);
	}
	closedir(list);
}

static void remove_file(const char *path, void *arg)
{
	(void)arg;
	unlink(path);
}

/* --- One process ------------------------------------------------------- */

struct outcome {
	int status; /* of waitpid, or -1: not started, in error */
	int error;
	double wall;
	struct rusage usage;
	FILE *output; /* both streams of it; may be NULL */
};

struct task {
	char **argv;
	char **environment; /* NAME=VALUE to set, NAME to unset; NULL ends */
};

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* In the child; a failure goes up the pipe, which a good start closes. */
static _Noreturn void become(const struct task *task, int output, int failure)
{
	int null = open("/dev/null", O_RDWR);
	int error;

	/* Only the streams lose close-on-exec. */
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(output >= 0 ? output : null, STDOUT_FILENO);
	dup2(STDOUT_FILENO, STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
	for (char **word = task->environment; word && *word; word++)
		if (putenv(*word)) /* NOLINT(concurrency-mt-unsafe) */
			_exit(127);
	catch_signals(SIG_DFL);
	execvp(task->argv[0], task->argv);
	error = errno;
	if (write(failure, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

static void wait_for(pid_t pid, struct outcome *outcome)
{
	pid_t got;

	do
		got = wait4(pid, &outcome->status, 0, &outcome->usage);
	while (got < 0 && errno == EINTR);
}

/* close_outcome() afterwards. */
static void run_task(const struct task *task, struct outcome *outcome)
{
	int failure[2] = {-1, -1};
	double start;
	pid_t pid;

	*outcome = (struct outcome){.status = -1};
	outcome->output = tmpfile();
	if (!outcome->output || pipe2(failure, O_CLOEXEC)) {
		outcome->error = errno;
		return;
	}
	fflush(NULL);
	start = now_ns();
	pid = fork();
	if (pid == 0)
		become(task, fileno(outcome->output), failure[1]);
	child = pid;
	if (pid > 0 && stopped)
		kill(pid, (int)stopped);
	if (pid > 0)
		wait_for(pid, outcome);
	else
		outcome->error = errno;
	child = 0;
	outcome->wall = now_ns() - start;
	close(failure[1]);
	if (read(failure[0], &outcome->error, sizeof(outcome->error)) > 0)
		outcome->status = -1;
	close(failure[0]);
}

static void close_outcome(struct outcome *outcome)
{
	if (outcome->output)
		fclose(outcome->output);
	outcome->output = NULL;
}

/* The last lines of what it said, in one; allocated. */
static char *last_lines(FILE *output)
{
	char text[400];
	size_t n, lines = 0, first;
	long size;

	if (!output || fseek(output, 0, SEEK_END))
		return cli_strdup("");
	size = ftell(output);
	fseek(output,
	      size > (long)sizeof(text) - 1 ? size - (long)sizeof(text) + 1 : 0,
	      SEEK_SET);
	n = fread(text, 1, sizeof(text) - 1, output);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	for (first = n; first > 0; first--)
		if (text[first - 1] == '\n' && ++lines == 3)
			break;
	text[n] = '\0';
	for (size_t i = first; i < n; i++)
		if (text[i] == '\n' || text[i] == '\0')
			text[i] = '|';
	return n > first ? cli_format("; it said: %s", text + first)
			 : cli_strdup("");
}

/* What went wrong, allocated; NULL: nothing did. */
static char *complaint(const char *what, const struct outcome *outcome)
{
	char *said, *text;

	if (stopped)
		return cli_format("stopped by signal %s",
				  sigabbrev_np((int)stopped));
	if (outcome->status == 0)
		return NULL;
	if (outcome->status == -1)
		return cli_format("%s: %s", what,
				  strerrordesc_np(outcome->error));
	said = last_lines(outcome->output);
	if (WIFSIGNALED(outcome->status))
		text =
		    cli_format("%s was killed by signal %s%s", what,
			       sigabbrev_np(WTERMSIG(outcome->status)), said);
	else
		text = cli_format("%s ended with status %d%s", what,
				  WEXITSTATUS(outcome->status), said);
	free(said);
	return text;
}

/* --- The environment of an arm ----------------------------------------- */

static const char *field_end(const char *at, char stop)
{
	while (*at && *at != stop && *at != ';')
		at += at[0] == '\\' && at[1] ? 2 : 1;
	return at;
}

static bool field_is(const char *at, const char *end, const char *text)
{
	return (size_t)(end - at) == strlen(text) &&
	       !memcmp(at, text, strlen(text));
}

/* One rule, up to end, without the keys that we set; mode=off stays. */
static void rule_for(FILE *out, const char *at, const char *end,
		     const struct ab_way *way)
{
	const char *next;
	bool off = false;

	for (const char *first = at; at < end; at = next + (next < end)) {
		next = field_end(at, ',');
		off = off || field_is(at, next, "mode=off");
		if (at != first && (!strncmp(at, "mode=", 5) ||
				    (way->pages && !strncmp(at, "pages=", 6)) ||
				    (way->block && !strncmp(at, "block=", 6))))
			continue;
		fprintf(out, "%s%.*s", at == first ? "" : ",", (int)(next - at),
			at);
	}
	fprintf(out, ",mode=%s", off ? "off" : way->mode);
	if (way->pages)
		fprintf(out, ",pages=%s", way->pages);
	if (way->block)
		fprintf(out, ",block=%llu", (unsigned long long)way->block);
}

char *ab_rules_for(const char *rules, const struct ab_way *way)
{
	const char *end;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return cli_strdup(rules);
	for (const char *at = rules;; at = end + 1) {
		end = field_end(at, ';');
		if (end > at)
			rule_for(out, at, end, way);
		if (!*end)
			break;
		putc(';', out);
	}
	fclose(out);
	return text;
}

static const struct ab_way ways[AB_ARMS] = {
	[AB_KERNEL] = {"kernel", NULL, 0},
	[AB_FLUSH] = {"flush", NULL, 0},
	[AB_BOTH] = {"ab", NULL, 0},
	[AB_KERNEL_SMALL] = {"kernel", "small", 0},
	[AB_KERNEL_HUGE] = {"kernel", "huge", 0},
	[AB_FLUSH_SMALL] = {"flush", "small", 0},
	[AB_FLUSH_HUGE] = {"flush", "huge", 0},
	[AB_AUTO] = {"auto", "auto", 0},
};

/* Everything in it stays allocated until the next exec or our end. */
static char **arm_environment(const struct ab *ab, enum ab_arm arm,
			      const char *scratch, uint64_t seed)
{
	char **words = cli_alloc(6 * sizeof(*words));
	struct ab_way way = ways[arm];
	char *rules;

	if (arm == AB_BARE)
		return words;
	way.block = ab->options.block;
	rules = ab_rules_for(ab->environment.rules, &way);
	words[0] = cli_format("LD_PRELOAD=%s", ab->preload);
	words[1] = cli_format("PMEMSHIM_PATHS=%s", rules);
	words[2] = cli_format("PMEMSHIM_STATS=%s", scratch);
	words[3] = cli_format("PMEMSHIM_SEED=%llu", (unsigned long long)seed);
	free(rules);
	return words;
}

static void free_words(char **words)
{
	for (char **word = words; *word; word++)
		free(*word);
	free(words);
}

/* --- What a run left --------------------------------------------------- */

struct harvest {
	struct ab *ab;
	struct stats_total total; /* of this run */
	enum ab_arm arm;
	bool measured;
};

static void note_machine(struct ab_environment *environment,
			 const struct stats_file_header *header)
{
	snprintf(environment->flush, sizeof(environment->flush), "%s",
		 header->flush);
	snprintf(environment->stream, sizeof(environment->stream), "%s",
		 header->stream);
	snprintf(environment->shim_version, sizeof(environment->shim_version),
		 "%s", header->shim_version);
}

static void harvest_file(const char *path, void *arg)
{
	struct harvest *harvest = arg;
	struct ab *ab = harvest->ab;
	struct stats_snapshot *snapshot;
	char why[sizeof(ab->unreadable_why)];

	if (!harvest->measured)
		return;
	if (stats_read(path, &snapshot, why, sizeof(why))) {
		ab->unreadable++;
		memcpy(ab->unreadable_why, why, sizeof(why));
		return;
	}
	note_machine(&ab->environment, &snapshot->header);
	stats_total_add(&harvest->total, snapshot);
	stats_total_add(&ab->totals[harvest->arm], snapshot);
	if (harvest->arm == AB_BOTH)
		ab_pairs_add(&ab->pairs, snapshot, ab->nruns);
	stats_snapshot_free(snapshot);
}

static void sum_syncs(const struct stats_total *total, enum stats_arm arm,
		      struct ab_syncs *syncs)
{
	static const double at[] = {0.5, 0.9, 0.99, 0.999};
	struct stats_total_arm *sum = cli_alloc(sizeof(*sum));

	stats_total_sum_arm(total, arm, sum);
	syncs->calls = sum->calls;
	syncs->bytes = sum->bytes;
	syncs->sync_ns = sum->sync_ns;
	syncs->max_ns = sum->max_ns;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		syncs->quantile[i] =
		    fmin(stats_times_quantile(&sum->latency, at[i]),
			 sum->calls ? sum->max_ns : NAN);
	free(sum);
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec * 1e9 + (double)time.tv_usec * 1e3;
}

static void keep_run(struct ab *ab, struct ab_run run,
		     const struct outcome *outcome,
		     const struct stats_total *total)
{
	const struct rusage *usage = &outcome->usage;

	run.wall = outcome->wall;
	run.user = seconds(usage->ru_utime);
	run.system = seconds(usage->ru_stime);
	run.faults = (uint64_t)(usage->ru_minflt + usage->ru_majflt);
	run.files = total->files;
	for (int i = 0; i < STATS_ARMS; i++)
		sum_syncs(total, (enum stats_arm)i, &run.syncs[i]);
	for (unsigned int i = 0; i < STATS_FILE_COUNTERS; i++)
		run.counters[i] = stats_total_counter(total, i);
	ab->runs = cli_realloc(ab->runs, (ab->nruns + 1) * sizeof(run));
	ab->runs[ab->nruns++] = run;
}

/* --- Runs -------------------------------------------------------------- */

/* 0, or the exit status. name: what the user calls it. */
static int run_hook(struct ab *ab, const char *name, const char *command,
		    const struct ab_run *run, int failed)
{
	char shell[] = "/bin/sh", option[] = "-c";
	char *argv[] = {shell, option, (char *)command, NULL};
	char *environment[] = {
	    cli_format("PMEMSHIM_AB_ARM=%s", ab_arm_names[run->arm]),
	    cli_format("PMEMSHIM_AB_ROUND=%zu", run->round), NULL};
	struct task task = {argv, environment};
	struct outcome outcome;
	char *wrong;

	run_task(&task, &outcome);
	wrong = complaint(name, &outcome);
	close_outcome(&outcome);
	free(environment[0]);
	free(environment[1]);
	if (!wrong)
		return 0;
	ab->voided = cli_format("%s (round %zu, arm %s)", wrong, run->round,
				ab_arm_names[run->arm]);
	free(wrong);
	return failed;
}

static int run_command(struct ab *ab, const char *scratch, struct ab_run run)
{
	struct harvest harvest = {
	    .ab = ab, .arm = run.arm, .measured = run.round > 0};
	char **environment =
	    arm_environment(ab, run.arm, scratch, ab->options.seed + run.round);
	struct task task = {ab->options.command, environment};
	struct outcome outcome;
	char *wrong;

	run_task(&task, &outcome);
	free_words(environment);
	wrong = complaint(ab->options.command[0], &outcome);
	if (wrong) {
		ab->voided = cli_format("%s (round %zu, arm %s)", wrong,
					run.round, ab_arm_names[run.arm]);
		free(wrong);
	} else {
		each_file(scratch, harvest_file, &harvest);
		if (harvest.measured)
			keep_run(ab, run, &outcome, &harvest.total);
		stats_total_free(&harvest.total);
	}
	each_file(scratch, remove_file, NULL);
	close_outcome(&outcome);
	return ab->voided ? CLI_FAILED : 0;
}

/* Beside enum cli_status: the program's data was not as it should be. */
enum { CHECK_FAILED = 3 };

static int run_one(struct ab *ab, const char *scratch, struct ab_run run)
{
	int status = 0;

	if (ab->options.setup)
		status = run_hook(ab, "--setup", ab->options.setup, &run,
				  CLI_FAILED);
	if (status == 0)
		status = run_command(ab, scratch, run);
	if (status == 0 && ab->options.check)
		status = run_hook(ab, "--check", ab->options.check, &run,
				  CHECK_FAILED);
	return status;
}

/* The arms in an order drawn anew; returns how many. */
static size_t draw_order(const struct ab *ab, struct estimate_random *random,
			 enum ab_arm order[AB_ARMS])
{
	enum ab_arm swap;
	size_t n = 0, j;

	for (int arm = 0; arm < AB_ARMS; arm++)
		if (ab->options.arms[arm])
			order[n++] = (enum ab_arm)arm;
	for (size_t i = n; i > 1; i--) {
		j = estimate_below(random, i);
		swap = order[i - 1];
		order[i - 1] = order[j];
		order[j] = swap;
	}
	return n;
}

static void show_progress(const struct ab *ab, const struct ab_run *run,
			  double began, size_t done, size_t all)
{
	char left[CLI_TEXT] = "?", round[64] = "warm-up";

	if (done > 0)
		cli_text_time(left, (now_ns() - began) / (double)done *
					(double)(all - done));
	if (run->round > 0)
		snprintf(round, sizeof(round), "round %zu of %llu", run->round,
			 (unsigned long long)ab->options.runs);
	cli_progress("%s: %s; %s left", round, ab_arm_names[run->arm], left);
}

/* Rounds from 1; warm-ups are round 0, all of them. */
static int run_rounds(struct ab *ab, const char *scratch)
{
	const uint64_t rounds = ab->options.warmup + ab->options.runs;
	struct estimate_random random;
	enum ab_arm order[AB_ARMS];
	const double began = now_ns();
	struct ab_run run = {0};
	size_t done = 0, n;
	int status = 0;

	estimate_seed(&random, ab->options.seed);
	for (uint64_t i = 0; i < rounds && status == 0; i++) {
		n = draw_order(ab, &random, order);
		run.round = i < ab->options.warmup
				? 0
				: (size_t)(i - ab->options.warmup + 1);
		for (size_t k = 0; k < n && status == 0; k++) {
			run.arm = order[k];
			run.place = k + 1;
			show_progress(ab, &run, began, done++,
				      (size_t)rounds * n);
			status = run_one(ab, scratch, run);
		}
	}
	cli_progress("%s", "");
	return status;
}

int ab_run_all(struct ab *ab)
{
	char *scratch = make_scratch();
	int status;

	if (!scratch)
		return CLI_FAILED;
	catch_signals(on_signal);
	status = run_rounds(ab, scratch);
	each_file(scratch, remove_file, NULL);
	rmdir(scratch);
	free(scratch);
	catch_signals(SIG_DFL);
	if (stopped)
		status = 128 + (int)stopped;
	return status;
}
