/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ab_table.c: the tables of a comparison, once for the terminal and the page.
 */
#include "cli/ab.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "shim/stats.h"

/* --- Making ------------------------------------------------------------ */

static void add_head(struct ab_table *table, const char *head)
{
	table->heads =
	    cli_realloc(table->heads, (table->columns + 1) * sizeof(char *));
	table->heads[table->columns++] = cli_strdup(head);
}

/* All heads come first. */
static char **add_row(struct ab_table *table, const char *name)
{
	const size_t width = table->columns + 1;
	char **row;

	table->cells = cli_realloc(table->cells,
				   (table->rows + 1) * width * sizeof(char *));
	row = &table->cells[table->rows++ * width];
	row[0] = cli_strdup(name);
	for (size_t i = 1; i < width; i++)
		row[i] = NULL;
	return row;
}

void ab_table_free(struct ab_table *table)
{
	for (size_t i = 0; i < table->columns; i++)
		free(table->heads[i]);
	for (size_t i = 0; i < table->rows * (table->columns + 1); i++)
		free(table->cells[i]);
	free(table->heads);
	free(table->cells);
}

enum unit { UNIT_TIME, UNIT_COUNT, UNIT_BYTES, UNIT_REAL };

static char *cell(double value, enum unit unit)
{
	char text[CLI_TEXT];

	if (isnan(value))
		return cli_strdup("-");
	if (value <= 0)
		return cli_strdup("0");
	switch (unit) {
	case UNIT_TIME:
		return cli_strdup(cli_text_time(text, value));
	case UNIT_COUNT:
		return cli_strdup(
		    cli_text_count(text, (uint64_t)(value + 0.5)));
	case UNIT_BYTES:
		return cli_strdup(cli_text_bytes(text, (uint64_t)value));
	case UNIT_REAL:
		break;
	}
	return cli_format("%.2f", value);
}

/* --- Ratios ------------------------------------------------------------ */

static char *basis(const struct ab *ab, enum ab_comparison comparison)
{
	const struct estimate *ratio = &ab->ratios[comparison];
	const bool syncs = comparison == AB_SYNC || comparison == AB_TOTAL;
	const char *doubt = ratio->enough ? "" : ": too few";

	if (!syncs)
		return cli_format("%zu round%s%s", ratio->n,
				  ratio->n == 1 ? "" : "s", doubt);
	return cli_format("%zu pairs, %zu groups%s", ratio->n, ratio->groups,
			  doubt);
}

static void make_ratios(const struct ab *ab, struct ab_table *table)
{
	const struct estimate *ratio;
	char **row, *name;

	table->title = "Ratios";
	table->note =
		"Above 1: B, the user-space persist, takes less. A is the kernel's msync. What follows an msync is the time until the next block begins. A pair is of neighbouring blocks, one of each arm; pairs are taken together to groups that are independent of each other.";
	add_head(table, "ratio");
	add_head(table, "95 % interval");
	add_head(table, "of");
	for (int i = 0; i < AB_COMPARISONS; i++) {
		ratio = &ab->ratios[i];
		if (ratio->n == 0)
			continue;
		name = cli_format("%s, %s", ab_comparison_names[i],
				  ab_comparison_of[i]);
		row = add_row(table, name);
		free(name);
		row[1] = cli_format("%.3g", ratio->centre);
		row[2] = ab_interval(ratio);
		row[3] = basis(ab, (enum ab_comparison)i);
	}
}

/* --- Runs -------------------------------------------------------------- */

static double processes(const struct ab_run *run)
{
	return (double)run->files;
}

static double bytes_synced(const struct ab_run *run)
{
	return (double)(run->syncs[STATS_ARM_KERNEL].bytes +
			run->syncs[STATS_ARM_USER].bytes);
}

static double copies(const struct ab_run *run)
{
	return (double)run->counters[STATS_COPIES];
}

static double copied(const struct ab_run *run)
{
	return (double)run->counters[STATS_COPIED];
}

static double lines_flushed(const struct ab_run *run)
{
	return ab_flushed(run) / 64;
}

static const struct run_row {
	const char *name;
	double (*of)(const struct ab_run *run);
	enum unit unit;
	bool bare; /* known without the shim */
} run_rows[] = {
	{"wall time", ab_wall, UNIT_TIME, true},
	{"user time", ab_user, UNIT_TIME, true},
	{"system time", ab_system, UNIT_TIME, true},
	{"page faults", ab_faults, UNIT_COUNT, true},
	{"processes with the shim", processes, UNIT_COUNT, false},
	{"msyncs of tracked mappings", ab_msyncs, UNIT_COUNT, false},
	{"msync system calls for them", ab_kernel_msyncs, UNIT_COUNT, false},
	{"bytes they were given", bytes_synced, UNIT_BYTES, false},
	{"bytes flushed", ab_flushed, UNIT_BYTES, false},
	{"cache lines flushed", lines_flushed, UNIT_COUNT, false},
	{"copies persisted", copies, UNIT_COUNT, false},
	{"bytes copied", copied, UNIT_BYTES, false},
};

static void make_runs(const struct ab *ab, struct ab_table *table)
{
	char **row;

	table->title = "A run, by arm (medians)";
	for (int arm = 0; arm < AB_ARMS; arm++)
		if (ab->options.arms[arm])
			add_head(table, ab_arm_names[arm]);
	for (size_t i = 0; i < sizeof(run_rows) / sizeof(run_rows[0]); i++) {
		if (!run_rows[i].bare && !ab_any_shim_arm(&ab->options))
			continue;
		row = add_row(table, run_rows[i].name);
		for (int arm = 0; arm < AB_ARMS; arm++)
			if (ab->options.arms[arm])
				*++row =
				    cell(arm != AB_BARE || run_rows[i].bare
					     ? ab_median(ab, (enum ab_arm)arm,
							 run_rows[i].of)
					     : NAN,
					 run_rows[i].unit);
	}
}

/* --- Syncs ------------------------------------------------------------- */

/* Where both arms were in one run they are the ones to compare. */
static const struct sync_column {
	const char *head;
	enum ab_arm arm;
	enum stats_arm of;
} sync_columns[] = {
	{"ab: A", AB_BOTH, STATS_ARM_KERNEL},
	{"ab: B", AB_BOTH, STATS_ARM_USER},
	{"kernel: A", AB_KERNEL, STATS_ARM_KERNEL},
	{"flush: B", AB_FLUSH, STATS_ARM_USER},
	{"kernel/small", AB_KERNEL_SMALL, STATS_ARM_KERNEL},
	{"kernel/huge", AB_KERNEL_HUGE, STATS_ARM_KERNEL},
	{"flush/small", AB_FLUSH_SMALL, STATS_ARM_USER},
	{"flush/huge", AB_FLUSH_HUGE, STATS_ARM_USER},
	{"auto: A", AB_AUTO, STATS_ARM_KERNEL},
	{"auto: B", AB_AUTO, STATS_ARM_USER},
};

enum { SYNC_COLUMNS = sizeof(sync_columns) / sizeof(sync_columns[0]) };

static double quotient(double a, double b)
{
	return b > 0 ? a / b : NAN;
}

static double all_calls(const struct stats_total_arm *arm, double q)
{
	(void)q;
	return (double)arm->calls;
}

static double bytes_each(const struct stats_total_arm *arm, double q)
{
	(void)q;
	return quotient((double)arm->bytes, (double)arm->calls);
}

static double mean(const struct stats_total_arm *arm, double q)
{
	(void)q;
	return quotient(arm->sync_ns, (double)arm->calls);
}

static double quantile(const struct stats_total_arm *arm, double q)
{
	return fmin(stats_times_quantile(&arm->latency, q), arm->max_ns);
}

static double longest(const struct stats_total_arm *arm, double q)
{
	(void)q;
	return arm->max_ns;
}

static double mean_with_rest(const struct stats_total_arm *arm, double q)
{
	(void)q;
	return quotient(arm->block_ns, (double)arm->block_calls);
}

static double faults_each(const struct stats_total_arm *arm, double q)
{
	(void)q;
	return quotient((double)arm->block_faults, (double)arm->block_calls);
}

static const struct {
	const char *name;
	double (*of)(const struct stats_total_arm *arm, double q);
	double q;
	enum unit unit;
} sync_rows[] = {
	{"msyncs in all runs", all_calls, 0, UNIT_COUNT},
	{"bytes per msync", bytes_each, 0, UNIT_BYTES},
	{"mean", mean, 0, UNIT_TIME},
	{"p50", quantile, 0.5, UNIT_TIME},
	{"p90", quantile, 0.9, UNIT_TIME},
	{"p99", quantile, 0.99, UNIT_TIME},
	{"p99.9", quantile, 0.999, UNIT_TIME},
	{"max", longest, 0, UNIT_TIME},
	{"mean with what follows", mean_with_rest, 0, UNIT_TIME},
	{"faults per msync", faults_each, 0, UNIT_REAL},
};

static void make_syncs(const struct ab *ab, struct ab_table *table)
{
	struct stats_total_arm *sums = cli_alloc(SYNC_COLUMNS * sizeof(*sums));
	bool shown[SYNC_COLUMNS] = {false};
	char **row;

	table->title = "Latency of msync on tracked mappings";
	table->note =
		"\"What follows\": the time and the page faults until the next block of msyncs begins.";
	for (size_t i = 0; i < SYNC_COLUMNS; i++) {
		stats_total_sum_arm(&ab->totals[sync_columns[i].arm],
				    sync_columns[i].of, &sums[i]);
		shown[i] = sums[i].calls > 0;
		if (shown[i])
			add_head(table, sync_columns[i].head);
	}
	for (size_t i = 0;
	     table->columns > 0 && i < sizeof(sync_rows) / sizeof(sync_rows[0]);
	     i++) {
		row = add_row(table, sync_rows[i].name);
		for (size_t k = 0; k < SYNC_COLUMNS; k++)
			if (shown[k])
				*++row = cell(
				    sync_rows[i].of(&sums[k], sync_rows[i].q),
				    sync_rows[i].unit);
	}
	free(sums);
}

/* --- The environment --------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void add_fact(
	struct ab_table *table, const char *name, const char *format, ...)
{
	char **row = add_row(table, name);
	va_list args;

	va_start(args, format);
	if (vasprintf(&row[1], format, args) < 0)
		row[1] = NULL;
	va_end(args);
}

static void make_environment(const struct ab *ab, struct ab_table *table)
{
	const struct ab_environment *environment = &ab->environment;
	const struct ab_options *options = &ab->options;

	table->title = "Environment";
	add_head(table, "");
	add_fact(table, "command", "%s", environment->command);
	if (options->setup)
		add_fact(table, "before each run", "%s", options->setup);
	if (options->check)
		add_fact(table, "after each run", "%s", options->check);
	add_fact(table, "rules", "%s", environment->rules);
	for (size_t i = 0; i < environment->nfile_systems; i++)
		add_fact(table, "file system", "%s",
			 environment->file_systems[i]);
	add_fact(table, "CPU", "%s%s", environment->cpu,
		 environment->emulated ? " (emulated: times mean nothing)"
				       : "");
	add_fact(table, "hypervisor", "%s", environment->machine);
	add_fact(table, "kernel", "%s", environment->kernel);
	add_fact(table, "library", "%s, version %s, flush %s, copies %s",
		 environment->library,
		 *environment->shim_version ? environment->shim_version : "?",
		 *environment->flush ? environment->flush : "?",
		 *environment->stream ? environment->stream : "?");
	add_fact(table, "rounds", "%" PRIu64 " after %" PRIu64 " of warm-up",
		 options->runs, options->warmup);
	add_fact(table, "seed", "%" PRIu64, options->seed);
	if (ab->pairs.blocks > ab->pairs.kept)
		add_fact(table, "blocks",
			 "%" PRIu64 ", of which the last %" PRIu64
			 " were still there to be paired",
			 ab->pairs.blocks, ab->pairs.kept);
	if (ab->unreadable)
		add_fact(table, "left out", "%zu statistics files: %s",
			 ab->unreadable, ab->unreadable_why);
	add_fact(table, "date", "%s", environment->date);
}

void ab_table_make(const struct ab *ab, enum ab_table_kind kind,
		   struct ab_table *table)
{
	static void (*const makers[AB_TABLES])(const struct ab *,
					       struct ab_table *) = {
	    [AB_TABLE_RATIOS] = make_ratios,
	    [AB_TABLE_RUNS] = make_runs,
	    [AB_TABLE_SYNCS] = make_syncs,
	    [AB_TABLE_ENVIRONMENT] = make_environment,
	};

	memset(table, 0, sizeof(*table));
	makers[kind](ab, table);
}
