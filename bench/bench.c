/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench.c: which rows there are, and how they are shown. bench.sh runs this
 * under the preloaded library; see README.md beside it.
 *
 *	bench --dir DIR --part rows|loaded|maps [--quick] [--seed N] [--cpu N]
 *	      [--most SIZE] [--only TEXT] [--json FILE]
 */
#include "bench.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

struct group {
	enum operation operation;
	enum state state;
	size_t dst_off, src_off;
	size_t least, most;
	bool quick;		/* also in a quick run */
	const char *title;
};

static const struct group groups[] = {
	{ PERSIST, HOT, 0, 0, 64, 64 * MIB, true, "persist, every line dirty in the cache" },
	{ COPY, HOT, 0, 0, 64, 64 * MIB, true, "copy, aligned, hot" },
	{ COPY, HOT, 17, 40, 64, 64 * MIB, true, "copy, unaligned, hot" },
	{ COPY, HOT, 17, 17, 64, 64 * KIB, false, "copy, equally unaligned, hot" },
	{ COPY, HOT, 0, 17, 64, 64 * KIB, false, "copy, unaligned source, hot" },
	{ COPY, DIRTY, 0, 0, 64, MIB, false, "copy, aligned, hot, destination dirty" },
	{ COPY, DIRTY, 17, 40, 64, MIB, false, "copy, unaligned, hot, destination dirty" },
	{ COPY, COLD, 0, 0, 64, 64 * MIB, true, "copy, aligned, cold" },
	{ COPY, COLD, 17, 40, 64, 64 * MIB, true, "copy, unaligned, cold" },
	{ COPY, READ_BACK, 0, 0, 64, 64 * MIB, false, "copy, aligned, cold, read back" },
	{ MOVE, HOT, 0, 4096, 1 * KIB, 64 * MIB, true, "move down by 4 KiB" },
	{ MOVE, HOT, 4096, 0, 1 * KIB, 64 * MIB, true, "move up by 4 KiB" },
	{ MOVE, HOT, 100, 0, 1 * KIB, 1 * MIB, false, "move up by 100 bytes" },
	{ SET, HOT, 0, 0, 64, 64 * MIB, true, "set, aligned, hot" },
	{ SET, HOT, 17, 0, 64, 64 * MIB, true, "set, unaligned, hot" },
	{ SET, COLD, 17, 0, 64, 64 * KIB, false, "set, unaligned, cold" },
	{ COPY_SYNC, HOT, 0, 0, 64, 64 * MIB, true, "copy, then msync, aligned, hot" },
	{ COPY_SYNC, HOT, 17, 40, 64, 64 * KIB, false, "copy, then msync, unaligned, hot" },
	{ COPY_SYNC, COLD, 0, 0, 64, 64 * MIB, true, "copy, then msync, aligned, cold" },
	{ COPY_SYNC, READ_BACK, 0, 0, 64, 64 * MIB, true, "copy, then msync, read back" },
};

static const char *const operation_names[OPERATIONS] = {
	"copy", "move", "set", "persist", "copy+sync",
};
static const char *const state_names[STATES] = {
	"hot", "dirty", "cold", "read-back",
};

static struct {
	const char *dir, *part, *only, *json;
	bool quick;
	uint64_t seed;
	int cpu;
	size_t most;
} options = { .cpu = -1, .most = 64 * MIB, .part = "rows" };

static FILE *json;
static bool json_comma;

static const char *size_text(size_t len, char buf[16])
{
	if (len >= MIB && len % MIB == 0)
		snprintf(buf, 16, "%zu MiB", len / MIB);
	else if (len >= KIB && len % KIB == 0)
		snprintf(buf, 16, "%zu KiB", len / KIB);
	else
		snprintf(buf, 16, "%zu B", len);
	return buf;
}

/* The first line of file that begins with name, behind its colon. */
static void read_field(const char *file, const char *name, char *buf,
		       size_t size)
{
	FILE *f = fopen(file, "r");
	char line[512];

	snprintf(buf, size, "unknown");
	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, name, strlen(name)) || !colon)
			continue;
		line[strcspn(line, "\n\"\\")] = '\0';
		snprintf(buf, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
		break;
	}
	if (f)
		fclose(f);
}

static void describe_machine(void)
{
	char cpu[256], number[64], memory[64], date[64];
	time_t now = time(NULL);
	struct utsname u;

	uname(&u);
	read_field("/proc/cpuinfo", "model name", cpu, sizeof(cpu));
	read_field("/proc/cpuinfo", "model\t", number, sizeof(number));
	read_field("/proc/meminfo", "MemTotal", memory, sizeof(memory));
	strftime(date, sizeof(date), "%Y-%m-%d", gmtime(&now));
	printf("%s\n  CPU     %s, model %s, flush %s, stream %s\n"
	       "  kernel  %s %s   memory %s   medium %s\n"
	       "  seed    %llu   pinned to CPU %d   %s\n",
	       date, cpu, number, flush_name(), kernel_name(), u.sysname,
	       u.release, memory, getenv("BENCH_MEDIUM") ?: "unknown",
	       (unsigned long long)options.seed, sample_cpu(),
	       options.quick ? "quick run" : "full run");
	fprintf(json, "{\n\"machine\": {\"date\": \"%s\", \"cpu\": \"%s\", \"model\": \"%s\", \"flush\": \"%s\", \"stream\": \"%s\", \"kernel\": \"%s\", \"memory\": \"%s\", \"medium\": \"%s\", \"libpmem\": \"%s\"},\n",
		date, cpu, number, flush_name(), kernel_name(), u.release,
		memory, getenv("BENCH_MEDIUM") ?: "unknown", libpmem_version());
	fprintf(json, "\"seed\": %llu, \"quick\": %s,\n",
		(unsigned long long)options.seed,
		options.quick ? "true" : "false");
}

/* At most seven contenders beside the first fit into 100 columns. */
static bool in_table(size_t i)
{
	return i < 9;
}

static void print_head(const struct group *group, const struct contender *list,
		       size_t n)
{
	printf("\n%s\n%8s %9s", group->title, "", list[0].name);
	for (size_t i = 1; i < n && in_table(i); i++)
		printf(" %10.10s", list[i].name);
	printf("\n");
}

static void print_row(const struct spread *s, size_t len, size_t n)
{
	char text[16];

	printf("%8s %6.0f ns", size_text(len, text), s[0].ns);
	for (size_t i = 1; i < n && in_table(i); i++)
		printf("  %5.2f±%.2f", s[i].ratio, (s[i].high - s[i].low) / 2);
	printf("\n");
	fflush(stdout);
}

static void save_row(const struct group *group, size_t len,
		     const struct contender *list, const struct spread *s,
		     size_t n)
{
	fprintf(json, "%s\n{\"operation\": \"%s\", \"state\": \"%s\", \"title\": \"%s\", \"dst_offset\": %zu, \"src_offset\": %zu, \"size\": %zu, \"samples\": %zu, \"contenders\": {",
		json_comma ? "," : "", operation_names[group->operation],
		state_names[group->state], group->title, group->dst_off,
		group->src_off, len, s[0].n);
	json_comma = true;
	for (size_t i = 0; i < n; i++)
		fprintf(json, "%s\n  \"%s\": {\"ns\": %.2f, \"q1\": %.2f, \"q3\": %.2f, \"ratio\": %.4f, \"low\": %.4f, \"high\": %.4f%s}",
			i ? "," : "", list[i].name, s[i].ns, s[i].q1, s[i].q3,
			s[i].ratio, s[i].low, s[i].high,
			list[i].skipped ? ", \"wrong\": true" : "");
	fprintf(json, "}}");
}

/* A quick run takes every second size. */
static size_t next_size(size_t len)
{
	return options.quick ? len * 4 : len * 2;
}

static void run_group(const struct group *group)
{
	struct spread spread[CONTENDERS_MAX];
	struct contender *list;
	size_t n = contenders_of(group->operation, &list);

	print_head(group, list, n);
	for (size_t len = group->least; len <= group->most;
	     len = next_size(len)) {
		struct work work = { group->operation, group->state, len,
				     group->dst_off, group->src_off };

		if (len > options.most)
			break;
		sample_row(&work, list, n, options.quick ? 0.25 : 1.2, spread);
		print_row(spread, len, n);
		save_row(group, len, list, spread, n);
	}
}

static bool wanted(const char *title)
{
	return !options.only || strstr(title, options.only);
}

static void run_rows(void)
{
	printf("  ratios  libpmem's median time to the contender's, ± half the distance of the\n"
	       "          quartiles of that ratio over 16 stretches; above 1 the contender is faster\n");
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if ((options.only || !options.quick || groups[i].quick) &&
		    wanted(groups[i].title))
			run_group(&groups[i]);
}

/* No rule with a copy_min of its own may be there: it would hold for all. */
static void run_loaded(void)
{
	printf("\nwhat it costs to be loaded\n");
	loaded_small_copies(json);
	loaded_lookup(json);
	loaded_memory(json);
	loaded_maps(json, options.dir);
	loaded_mappings(json, options.dir);
	loaded_threads(json);
}

static size_t parse_size(const char *text)
{
	char *end;
	size_t n = strtoul(text, &end, 0);

	return *end == 'M' ? n * MIB : *end == 'K' ? n * KIB : n;
}

static void parse_options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "part", required_argument, NULL, 'p' },
		{ "quick", no_argument, NULL, 'q' },
		{ "seed", required_argument, NULL, 's' },
		{ "cpu", required_argument, NULL, 'c' },
		{ "most", required_argument, NULL, 'm' },
		{ "only", required_argument, NULL, 'o' },
		{ "json", required_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	options.seed = (uint64_t)time(NULL);
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 'd': options.dir = optarg; break;
		case 'p': options.part = optarg; break;
		case 'q': options.quick = true; break;
		case 's': options.seed = strtoull(optarg, NULL, 0); break;
		case 'c': options.cpu = atoi(optarg); break;
		case 'm': options.most = parse_size(optarg); break;
		case 'o': options.only = optarg; break;
		case 'j': options.json = optarg; break;
		default: exit(2);
		}
	}
	if (!options.dir) {
		fprintf(stderr, "bench: --dir is missing; run bench/bench.sh\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	parse_options(argc, argv);
	json = fopen(options.json ? options.json : "/dev/null", "w");
	if (!json) {
		perror(options.json);
		return 1;
	}
	sample_init(options.seed, options.cpu);
	contend_init(options.dir, options.most);
	describe_machine();
	if (strcmp(options.part, "rows") == 0) {
		fprintf(json, "\"rows\": [");
		run_rows();
		fprintf(json, "\n]");
	} else if (strcmp(options.part, "loaded") == 0) {
		run_loaded();
	} else {
		printf("\nunder a rule that does not assume anything\n");
		loaded_maps(json, options.dir);
	}
	fprintf(json, "\n}\n");
	return fclose(json) ? 1 : 0;
}
