/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * report_graph.c: the graphs of the page, as SVG.
 *
 * Design: places along the axis are in per cent and heights in pixels, so a
 * graph fits a telephone and a desk without its letters growing or shrinking.
 * Every mark has a title that says its number.
 */
#include "cli/report.h"

#include <math.h>
#include <stdlib.h>

#include "cli/cli.h"

/* --- Axes -------------------------------------------------------------- */

struct axis {
	double low, high;
	bool logarithmic;
};

/* Per cent of the width; a little room at both ends. */
static double place(const struct axis *axis, double value)
{
	double share;

	if (axis->logarithmic)
		share = log(value / axis->low) / log(axis->high / axis->low);
	else
		share = (value - axis->low) / (axis->high - axis->low);
	return 2 + 96 * share;
}

typedef const char *(*label_fn)(char buf[CLI_TEXT], double value);

static const char *label_time(char buf[CLI_TEXT], double value)
{
	static const struct {
		double ns;
		const char *name;
	} units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
	size_t i = 0;

	/* 999.9 is 1000 that a sum has missed. */
	while (i < 3 && value < units[i].ns * 0.9999)
		i++;
	snprintf(buf, CLI_TEXT, "%.4g %s", value / units[i].ns, units[i].name);
	return buf;
}

static const char *label_ratio(char buf[CLI_TEXT], double value)
{
	snprintf(buf, CLI_TEXT, "%.4g", value);
	return buf;
}

static void tick(FILE *page, const struct axis *axis, double value, int top,
		 int bottom, label_fn label)
{
	char text[CLI_TEXT];
	double x = place(axis, value);

	fprintf(
	    page,
		"<line class=\"axis\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>"
		"<text x=\"%.2f%%\" y=\"%d\" text-anchor=\"%s\">%s</text>\n",
	    x, x, top, bottom, x, bottom + 14,
	    x < 8    ? "start"
	    : x > 92 ? "end"
		     : "middle",
	    label(text, value));
}

/* 1, 2, 5, 10, ...: the first such number that is not below value. */
static double round_up(double value)
{
	double power = pow(10, floor(log10(value)));
	double first = value / power;

	return power * (first <= 1 ? 1 : first <= 2 ? 2 : first <= 5 ? 5 : 10);
}

static void linear_ticks(FILE *page, const struct axis *axis, int top,
			 int bottom, label_fn label)
{
	double step = round_up((axis->high - axis->low) / 4);

	double first = ceil(axis->low / step) * step;

	for (int i = 0; i < 5 && first + i * step <= axis->high; i++)
		tick(page, axis, first + i * step, top, bottom, label);
}

/* Powers of ten; with the 2 and 5 between them where there are few. */
static void log_ticks(FILE *page, const struct axis *axis, int top, int bottom,
		      label_fn label)
{
	const double decades = log10(axis->high / axis->low);
	static const double between[] = {1, 2, 5};
	const size_t each = decades < 2 ? 3 : 1;
	const int every = decades > 6 ? 2 : 1;
	double value;

	for (int power = (int)floor(log10(axis->low)); power < 20;
	     power += every)
		for (size_t i = 0; i < each; i++) {
			value = pow(10, power) * between[i];
			if (value >= axis->low && value <= axis->high)
				tick(page, axis, value, top, bottom, label);
		}
}

static void ticks(FILE *page, const struct axis *axis, int top, int bottom,
		  label_fn label)
{
	/* A logarithmic axis of less than a factor of 4 looks linear. */
	if (axis->logarithmic && axis->high / axis->low >= 4)
		log_ticks(page, axis, top, bottom, label);
	else
		linear_ticks(page, axis, top, bottom, label);
}

static void open_graph(FILE *page, int height, const char *title)
{
	fprintf(page, "<svg role=\"img\" height=\"%d\" aria-label=\"%s\">\n",
		height, title);
}

/* --- Ratios ------------------------------------------------------------ */

enum { RATIO_ROW = 40 };

static bool drawable(const struct estimate *ratio)
{
	return ratio->n > 0 && isfinite(ratio->low) && isfinite(ratio->high) &&
	       ratio->low > 0;
}

static void ratio_row(FILE *page, const struct axis *axis, int y,
		      const struct estimate *ratio, enum ab_comparison of)
{
	const char *class = ratio->low > 1    ? "b"
			    : ratio->high < 1 ? "a"
					      : "bare";
	char *range = ab_interval(ratio);

	fprintf(
	    page,
		"<text class=\"name\" x=\"0\" y=\"%d\">%s, %s</text>"
		"<line class=\"%s middle\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>"
		"<circle class=\"%s\" cx=\"%.2f%%\" cy=\"%d\" r=\"5\"><title>%.3g (%s)</title></circle>\n",
	    y + 12, ab_comparison_names[of], ab_comparison_of[of], class,
	    place(axis, ratio->low), place(axis, ratio->high), y + 25, y + 25,
	    class, place(axis, ratio->centre), y + 25, ratio->centre, range);
	free(range);
}

void report_ratios(FILE *page, const struct ab *ab)
{
	struct axis axis = {1 / 1.05, 1.05, true};
	int rows = 0, y = 0;
	double x;

	for (int i = 0; i < AB_COMPARISONS; i++) {
		if (!drawable(&ab->ratios[i]))
			continue;
		axis.low = fmin(axis.low, ab->ratios[i].low / 1.02);
		axis.high = fmax(axis.high, ab->ratios[i].high * 1.02);
		rows++;
	}
	if (rows == 0)
		return;
	open_graph(page, rows * RATIO_ROW + 20, "95 % intervals of the ratios");
	ticks(page, &axis, 0, rows * RATIO_ROW, label_ratio);
	x = place(&axis, 1);
	fprintf(
	    page,
		"<line class=\"one\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"0\" y2=\"%d\"/>\n",
	    x, x, rows * RATIO_ROW);
	for (int i = 0; i < AB_COMPARISONS; i++) {
		if (!drawable(&ab->ratios[i]))
			continue;
		ratio_row(page, &axis, y, &ab->ratios[i],
			  (enum ab_comparison)i);
		y += RATIO_ROW;
	}
	fputs("</svg>\n", page);
}

/* --- Latencies --------------------------------------------------------- */

/* Buckets of the distribution that make one bar: eight to a power of two. */
enum {
	BAR_BUCKETS = 16,
	BARS = STATS_TIMES_BUCKETS / BAR_BUCKETS,
	PANEL = 110,
	PANEL_HEAD = 22
};

static uint64_t bar(const struct stats_times *times, unsigned int i)
{
	uint64_t sum = 0;

	for (unsigned int k = 0; k < BAR_BUCKETS; k++)
		sum += times->count[i * BAR_BUCKETS + k];
	return sum;
}

static void put_bar(FILE *page, const struct axis *axis, int bottom,
		    unsigned int i, double height, const char *class,
		    double share)
{
	double from = stats_times_start(i * BAR_BUCKETS);
	double to = stats_times_start((i + 1) * BAR_BUCKETS);
	double x = place(axis, fmax(from, axis->low));
	char low[CLI_TEXT], high[CLI_TEXT];

	fprintf(
	    page,
		"<rect class=\"bar %s\" x=\"%.3f%%\" width=\"%.3f%%\" y=\"%.1f\" height=\"%.1f\">"
		"<title>%s to %s: %.3g %%</title></rect>\n",
	    class, x, place(axis, to) - x, bottom - height, height,
	    cli_text_time(low, from), cli_text_time(high, to), share * 100);
}

/* Rare ones are seen too: no bar is lower than two pixels. */
static void panel(FILE *page, const struct axis *axis, int top,
		  const struct stats_total_arm *arm, const char *class,
		  const char *name)
{
	const struct stats_times *times = &arm->latency;
	const int bottom = top + PANEL;
	uint64_t most = 1;
	char text[CLI_TEXT];
	double x =
	    place(axis, fmin(stats_times_quantile(times, 0.5), arm->max_ns));

	for (unsigned int i = 0; i < BARS; i++)
		if (bar(times, i) > most)
			most = bar(times, i);
	for (unsigned int i = 0; i < BARS; i++)
		if (bar(times, i) > 0)
			put_bar(
			    page, axis, bottom, i,
			    fmax(2, (PANEL - PANEL_HEAD) *
					(double)bar(times, i) / (double)most),
			    class, (double)bar(times, i) / (double)times->n);
	fprintf(
	    page,
		"<line class=\"half\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>"
		"<text class=\"name\" x=\"0\" y=\"%d\">%s</text>"
		"<text x=\"100%%\" y=\"%d\" text-anchor=\"end\">half below %s</text>\n",
	    x, x, top + PANEL_HEAD, bottom, top + 12, name, top + 12,
	    cli_text_time(text, stats_times_quantile(times, 0.5)));
}

static void stretch(struct axis *axis, const struct stats_times *times)
{
	for (unsigned int i = 0; i < BARS; i++) {
		if (bar(times, i) == 0)
			continue;
		axis->low = fmin(axis->low,
				 fmax(stats_times_start(i * BAR_BUCKETS), 1));
		axis->high =
		    fmax(axis->high, stats_times_start((i + 1) * BAR_BUCKETS));
	}
}

/* Of mode=ab, where both arms saw the same moments; else of whole runs. */
static void choose(const struct ab *ab, struct stats_total_arm arms[2])
{
	const struct stats_total *both = &ab->totals[AB_BOTH];

	stats_total_sum_arm(both, STATS_ARM_KERNEL, &arms[0]);
	stats_total_sum_arm(both, STATS_ARM_USER, &arms[1]);
	if (arms[0].calls + arms[1].calls > 0)
		return;
	stats_total_sum_arm(&ab->totals[AB_KERNEL], STATS_ARM_KERNEL, &arms[0]);
	stats_total_sum_arm(&ab->totals[AB_FLUSH], STATS_ARM_USER, &arms[1]);
}

void report_latencies(FILE *page, const struct ab *ab)
{
	static const char *const names[] = {"A: the kernel's msync",
					    "B: from user space"};
	static const char *const classes[] = {"a", "b"};
	struct stats_total_arm *arms = cli_alloc(2 * sizeof(*arms));
	struct axis axis = {HUGE_VAL, 0, true};
	int top = 0, panels = 0;

	choose(ab, arms);
	for (int i = 0; i < 2; i++) {
		stretch(&axis, &arms[i].latency);
		panels += arms[i].latency.n > 0;
	}
	if (panels > 0) {
		open_graph(page, panels * PANEL + 20,
			   "Latency of msync, logarithmic axis");
		ticks(page, &axis, PANEL_HEAD, panels * PANEL, label_time);
		for (int i = 0; i < 2; i++) {
			if (arms[i].latency.n == 0)
				continue;
			panel(page, &axis, top, &arms[i], classes[i], names[i]);
			top += PANEL;
		}
		fputs("</svg>\n", page);
	}
	free(arms);
}

/* --- Runs -------------------------------------------------------------- */

enum { RUN_ROW = 52 };

static const char *const arm_classes[AB_ARMS] = {
	[AB_BARE] = "bare",
	[AB_KERNEL] = "a",
	[AB_FLUSH] = "b",
	[AB_BOTH] = "ab",
	[AB_KERNEL_SMALL] = "a",
	[AB_KERNEL_HUGE] = "a",
	[AB_FLUSH_SMALL] = "b",
	[AB_FLUSH_HUGE] = "b",
	[AB_AUTO] = "ab",
};

static void run_axis(const struct ab *ab, struct axis *axis)
{
	double margin;

	*axis = (struct axis){HUGE_VAL, 0, false};
	for (size_t i = 0; i < ab->nruns; i++) {
		axis->low = fmin(axis->low, ab->runs[i].wall);
		axis->high = fmax(axis->high, ab->runs[i].wall);
	}
	axis->logarithmic = axis->high > 20 * axis->low;
	margin = (axis->high - axis->low) * 0.02 + 1;
	if (!axis->logarithmic) {
		axis->low -= margin;
		axis->high += margin;
	}
}

static void run_row(FILE *page, const struct ab *ab, const struct axis *axis,
		    int top, enum ab_arm arm)
{
	const double rounds =
	    (double)(ab->options.runs > 1 ? ab->options.runs - 1 : 1);
	const double median = ab_median(ab, arm, ab_wall);
	char text[CLI_TEXT];

	fprintf(
	    page,
		"<text class=\"name\" x=\"0\" y=\"%d\">%s</text>"
		"<text x=\"100%%\" y=\"%d\" text-anchor=\"end\">median %s</text>"
		"<line class=\"%s middle\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>\n",
	    top + 12, ab_arm_names[arm], top + 12, cli_text_time(text, median),
	    arm_classes[arm], place(axis, median), place(axis, median),
	    top + 18, top + RUN_ROW - 4);
	for (size_t i = 0; i < ab->nruns; i++) {
		const struct ab_run *run = &ab->runs[i];

		if (run->arm != arm)
			continue;
		fprintf(
		    page,
		    "<circle class=\"dot %s\" cx=\"%.2f%%\" cy=\"%.1f\" r=\"4\">"
		    "<title>round %zu: %s</title></circle>\n",
		    arm_classes[arm], place(axis, run->wall),
		    top + 23 + 20 * (double)(run->round - 1) / rounds,
		    run->round, cli_text_time(text, run->wall));
	}
}

void report_runs(FILE *page, const struct ab *ab)
{
	struct axis axis;
	int top = 0, rows = 0;

	for (int arm = 0; arm < AB_ARMS; arm++)
		rows += ab->options.arms[arm];
	run_axis(ab, &axis);
	open_graph(page, rows * RUN_ROW + 20, "Wall time of every run");
	ticks(page, &axis, 16, rows * RUN_ROW, label_time);
	for (int arm = 0; arm < AB_ARMS; arm++) {
		if (!ab->options.arms[arm])
			continue;
		run_row(page, ab, &axis, top, (enum ab_arm)arm);
		top += RUN_ROW;
	}
	fputs(
		"</svg>\n<p class=\"note\">Wall time of every run, first round on top; the bar is the median.</p>\n",
	    page);
}
