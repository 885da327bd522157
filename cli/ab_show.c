/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ab_show.c: a comparison as text and as JSON.
 */
#include "cli/ab.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "shim/stats.h"

/* --- Text -------------------------------------------------------------- */

static size_t column_width(const struct ab_table *table, size_t column)
{
	size_t width = column > 0 ? strlen(table->heads[column - 1]) : 0;

	for (size_t i = 0; i < table->rows; i++) {
		const char *text =
		    table->cells[i * (table->columns + 1) + column];
		size_t len = text ? strlen(text) : 0;

		width = len > width ? len : width;
	}
	return width;
}

/* Numbers to the right; the only column of a list to the left. */
static void print_cell(const struct ab_table *table, size_t column,
		       const char *text)
{
	size_t width = column_width(table, column);

	if (!text)
		text = "";
	if (column == 0)
		printf("  %-*s", (int)width, text);
	else if (table->columns == 1)
		fputs("  ", stdout), cli_print_text(stdout, text);
	else
		printf("  %*s", (int)width, text);
}

static void print_table(const struct ab *ab, enum ab_table_kind kind)
{
	struct ab_table table;

	ab_table_make(ab, kind, &table);
	if (table.rows > 0)
		printf("\n%s%s%s\n", cli_style(stdout, CLI_BOLD), table.title,
		       cli_style(stdout, CLI_PLAIN));
	if (table.rows > 0 && table.columns > 1) {
		print_cell(&table, 0, "");
		for (size_t i = 0; i < table.columns; i++)
			print_cell(&table, i + 1, table.heads[i]);
		putchar('\n');
	}
	for (size_t i = 0; i < table.rows; i++) {
		for (size_t k = 0; k <= table.columns; k++)
			print_cell(&table, k,
				   table.cells[i * (table.columns + 1) + k]);
		putchar('\n');
	}
	if (table.rows > 0 && table.note)
		printf("  %s%s%s\n", cli_style(stdout, CLI_DIM), table.note,
		       cli_style(stdout, CLI_PLAIN));
	ab_table_free(&table);
}

void ab_show_text(const struct ab *ab)
{
	fputs(cli_style(stdout, CLI_BOLD), stdout);
	cli_print_text(stdout, ab->verdict);
	printf("%s\n", cli_style(stdout, CLI_PLAIN));
	if (ab->caution)
		printf("%sCaution:%s %s.\n", cli_style(stdout, CLI_FAIR),
		       cli_style(stdout, CLI_PLAIN), ab->caution);
	for (int kind = 0; kind < AB_TABLES; kind++)
		print_table(ab, (enum ab_table_kind)kind);
}

/* --- JSON -------------------------------------------------------------- */

static const char *const comparison_keys[AB_COMPARISONS] = {
	[AB_SYNC] = "sync",
	[AB_TOTAL] = "sync_with_what_follows",
	[AB_WALL] = "wall_kernel_over_flush",
	[AB_USER] = "user_kernel_over_flush",
	[AB_SYSTEM] = "system_kernel_over_flush",
	[AB_BARE_WALL] = "wall_bare_over_flush",
	[AB_AUTO_WALL] = "wall_bare_over_auto",
};

static void json_ratio(struct json *json, const char *key,
		       const struct estimate *ratio)
{
	if (ratio->n == 0) {
		json_null(json, key);
		return;
	}
	json_object(json, key);
	json_real(json, "ratio", ratio->centre);
	json_real(json, "low", ratio->low);
	json_real(json, "high", ratio->high);
	json_uint(json, "n", ratio->n);
	json_uint(json, "groups", ratio->groups);
	json_bool(json, "enough", ratio->enough);
	json_close(json);
}

static void json_syncs(struct json *json, const char *key,
		       const struct ab_syncs *syncs)
{
	static const char *const names[] = {"p50_ns", "p90_ns", "p99_ns",
					    "p99_9_ns"};

	json_object(json, key);
	json_uint(json, "calls", syncs->calls);
	json_uint(json, "bytes", syncs->bytes);
	json_real(json, "total_ns", syncs->sync_ns);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		json_real(json, names[i], syncs->quantile[i]);
	json_real(json, "max_ns", syncs->calls ? syncs->max_ns : NAN);
	json_close(json);
}

static void json_counters(struct json *json, const struct ab_run *run)
{
	json_object(json, "counters");
	for (unsigned int i = 0; i < STATS_COUNTERS; i++)
		if (run->counters[i])
			json_uint(json, stats_text((enum stats_counter)i),
				  run->counters[i]);
	json_close(json);
}

static void json_run(struct json *json, const struct ab_run *run)
{
	json_object(json, NULL);
	json_uint(json, "round", run->round);
	json_uint(json, "place", run->place);
	json_string(json, "arm", ab_arm_names[run->arm]);
	json_real(json, "wall_ns", run->wall);
	json_real(json, "user_ns", run->user);
	json_real(json, "system_ns", run->system);
	json_uint(json, "faults", run->faults);
	if (run->arm != AB_BARE) {
		json_uint(json, "processes", run->files);
		json_real(json, "msyncs", ab_msyncs(run));
		json_real(json, "msync_system_calls", ab_kernel_msyncs(run));
		json_syncs(json, "arm_a", &run->syncs[STATS_ARM_KERNEL]);
		json_syncs(json, "arm_b", &run->syncs[STATS_ARM_USER]);
		json_counters(json, run);
	}
	json_close(json);
}

static void json_environment(struct json *json, const struct ab *ab)
{
	const struct ab_environment *environment = &ab->environment;

	json_object(json, "environment");
	json_string(json, "command", environment->command);
	json_string(json, "rules", environment->rules);
	json_string(json, "library", environment->library);
	json_string(json, "library_version", environment->shim_version);
	json_string(json, "flush", environment->flush);
	json_string(json, "stream", environment->stream);
	json_string(json, "cpu", environment->cpu);
	json_string(json, "hypervisor", environment->machine);
	json_bool(json, "emulated", environment->emulated);
	json_string(json, "kernel", environment->kernel);
	json_array(json, "file_systems");
	for (size_t i = 0; i < environment->nfile_systems; i++)
		json_string(json, NULL, environment->file_systems[i]);
	json_close(json);
	json_string(json, "date", environment->date);
	json_close(json);
}

static void json_text(struct json *json, const char *key, const char *text)
{
	if (text)
		json_string(json, key, text);
	else
		json_null(json, key);
}

/* The totals of all runs of an arm, with the quantiles that runs lack. */
static void json_latency(struct json *json, const struct ab *ab)
{
	static const double at[] = {0.5, 0.9, 0.99, 0.999};
	struct stats_total_arm *sum = cli_alloc(sizeof(*sum));
	struct ab_syncs syncs;

	json_object(json, "all_runs");
	for (int arm = AB_KERNEL; arm < AB_ARMS; arm++) {
		json_object(json, ab_arm_names[arm]);
		for (int of = 0; of < STATS_ARMS; of++) {
			stats_total_sum_arm(&ab->totals[arm],
					    (enum stats_arm)of, sum);
			syncs = (struct ab_syncs){.calls = sum->calls,
						  .bytes = sum->bytes,
						  .sync_ns = sum->sync_ns,
						  .max_ns = sum->max_ns};
			for (size_t i = 0; i < 4; i++)
				syncs.quantile[i] = fmin(
				    stats_times_quantile(&sum->latency, at[i]),
				    sum->calls ? sum->max_ns : NAN);
			json_syncs(json,
				   of == STATS_ARM_KERNEL ? "arm_a" : "arm_b",
				   &syncs);
		}
		json_close(json);
	}
	json_close(json);
	free(sum);
}

void ab_show_json(const struct ab *ab)
{
	struct json json;

	json_begin(&json, stdout);
	json_object(&json, NULL);
	json_text(&json, "verdict", ab->verdict);
	json_text(&json, "caution", ab->caution);
	json_text(&json, "void", ab->voided);
	json_uint(&json, "runs_each", ab->options.runs);
	json_uint(&json, "seed", ab->options.seed);
	json_object(&json, "ratios");
	for (int i = 0; i < AB_COMPARISONS; i++)
		json_ratio(&json, comparison_keys[i], &ab->ratios[i]);
	json_close(&json);
	json_latency(&json, ab);
	json_array(&json, "runs");
	for (size_t i = 0; i < ab->nruns; i++)
		json_run(&json, &ab->runs[i]);
	json_close(&json);
	json_environment(&json, ab);
	json_close(&json);
	json_end(&json);
}
