/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats_read.c: statistics files, read and added up, see stats_read.h.
 *
 * Design: read(2) and not a mapping, so that a file which its owner cuts short
 * meanwhile is an error and not a SIGBUS. Counters are aligned words and come
 * out whole; the one pair that must match, the clock's, is read until it does.
 */
#include "cli/stats_read.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "cli/cli.h"
#include "config/config.h"
#include "shim/stats.h"

/* --- The file ---------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static int refuse(char *why, size_t size,
							const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, size, format, args);
	va_end(args);
	return -1;
}

/* 0, or -1: not so many bytes there, or a failure (errno; 0 for the end). */
static int read_all(int fd, void *buf, size_t len, off_t offset)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(fd, (char *)buf + done, len - done,
			  offset + (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = 0;
		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

static int refuse_read(char *why, size_t size)
{
	return refuse(why, size, "%s",
		      errno ? strerrordesc_np(errno) : "truncated");
}

/* A start like this is a statistics file, of whatever version. */
struct start {
	uint64_t magic;
	uint32_t version;
};

static int check_start(int fd, char *why, size_t size)
{
	struct start start;

	if (read_all(fd, &start, sizeof(start), 0))
		return errno ? refuse_read(why, size)
			     : refuse(why, size,
				      "not a statistics file: too short");
	if (start.magic == 0)
		return refuse(
		    why, size,
		    "not a statistics file, or one whose process has not begun to count");
	if (start.magic == __builtin_bswap64(STATS_FILE_MAGIC))
		return refuse(why, size,
			      "written by a machine of the other byte order");
	if (start.magic != STATS_FILE_MAGIC)
		return refuse(why, size,
			      "not a statistics file of libpmemshim");
	if (start.version != STATS_FILE_VERSION)
		return refuse(
		    why, size,
		    "statistics of version %u; this pmemshim reads version %d",
		    start.version, STATS_FILE_VERSION);
	return 0;
}

/* The version is right; then nothing here is wrong but by damage. */
static bool header_is_ours(const struct stats_file_header *header)
{
	return header->header_size == sizeof(struct stats_file_header) &&
	       header->rule_size == sizeof(struct stats_file_rule) &&
	       header->nrules <= CONFIG_RULES_MAX &&
	       header->arms == STATS_ARMS && header->buckets == STATS_BUCKETS &&
	       header->blocks == STATS_BLOCKS && header->cells == STATS_CELLS &&
	       header->counters <= STATS_FILE_COUNTERS &&
	       header->file_size ==
		   sizeof(struct stats_file_header) +
		       header->nrules * sizeof(struct stats_file_rule) &&
	       header->clock <= STATS_CLOCK_NS && header->pid > 0;
}

static void end_header_texts(struct stats_file_header *header)
{
	header->program[sizeof(header->program) - 1] = '\0';
	header->shim_version[sizeof(header->shim_version) - 1] = '\0';
	header->flush[sizeof(header->flush) - 1] = '\0';
	header->stream[sizeof(header->stream) - 1] = '\0';
}

static void end_rule_texts(struct stats_file_rule *rule)
{
	rule->path[sizeof(rule->path) - 1] = '\0';
	rule->options[sizeof(rule->options) - 1] = '\0';
}

/* The header with a second moment of the clock that is not being renewed. */
static int read_header(int fd, struct stats_file_header *header)
{
	const off_t at = offsetof(struct stats_file_header, renewals);
	uint64_t renewals;

	do {
		if (read_all(fd, header, sizeof(*header), 0) ||
		    read_all(fd, &renewals, sizeof(renewals), at))
			return -1;
	} while (header->renewals != renewals);
	return 0;
}

static int read_open(int fd, struct stats_snapshot *snapshot, char *why,
		     size_t size)
{
	struct stats_file_header *header = &snapshot->header;
	struct stat st;

	if (fstat(fd, &st))
		return refuse_read(why, size);
	if (!S_ISREG(st.st_mode))
		return refuse(why, size, "not a regular file");
	if (check_start(fd, why, size))
		return -1;
	if (read_header(fd, header))
		return refuse_read(why, size);
	end_header_texts(header);
	if (!header_is_ours(header))
		return refuse(why, size, "damaged: its header does not add up");
	if (header->counters != STATS_COUNTERS)
		return refuse(
		    why, size,
		    "written by libpmemshim %s, which counts other things than this pmemshim",
		    header->shim_version);
	if ((uint64_t)st.st_size < header->file_size)
		return refuse(why, size, "truncated: %lld bytes of %llu",
			      (long long)st.st_size,
			      (unsigned long long)header->file_size);
	snapshot->rules =
	    cli_alloc(header->nrules * sizeof(*snapshot->rules) + 1);
	if (read_all(fd, snapshot->rules,
		     header->nrules * sizeof(*snapshot->rules),
		     sizeof(*header)))
		return refuse_read(why, size);
	for (size_t i = 0; i < header->nrules; i++)
		end_rule_texts(&snapshot->rules[i]);
	return 0;
}

/* --- Clock and process ------------------------------------------------- */

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds in a tick of this machine's counter; 0: it has none. */
static double measure_tick(void)
{
#if defined(__x86_64__)
	static double tick;
	double ns;
	uint64_t ticks;

	if (tick > 0)
		return tick;
	ns = now_ns();
	ticks = __rdtsc();
	while (now_ns() - ns < 1e7)
		;
	ns = now_ns() - ns;
	tick = ns / (double)(__rdtsc() - ticks);
	return tick;
#else
	return 0;
#endif
}

static int find_tick(struct stats_snapshot *snapshot)
{
	const struct stats_file_header *header = &snapshot->header;
	const __typeof__(header->renewed[0]) *renewed =
	    &header->renewed[header->renewals % 2];
	/* Two readings of the clocks are some 100 ns apart: 0.1 % of this. */
	static const uint64_t long_enough = 100000;

	if (header->clock == STATS_CLOCK_NS) {
		snapshot->tick_ns = 1;
		return 0;
	}
	if (renewed->ns >= header->first_ns + long_enough &&
	    renewed->ticks > header->first_ticks) {
		snapshot->tick_ns =
		    (double)(renewed->ns - header->first_ns) /
		    (double)(renewed->ticks - header->first_ticks);
		return 0;
	}
	snapshot->tick_measured_here = true;
	snapshot->tick_ns = measure_tick();
	return snapshot->tick_ns > 0 ? 0 : -1;
}

/* Field 22 of /proc/PID/stat: with the pid, which process it is. 0: none. */
static uint64_t process_start(int pid)
{
	unsigned long long start = 0;
	char path[64], text[2048], *at;
	FILE *file;
	size_t n;
	int field;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	/* The second field is a name in brackets, with anything in it. */
	at = strrchr(text, ')');
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at)
		start = strtoull(at, NULL, 10);
	return start;
}

int stats_read(const char *path, struct stats_snapshot **out, char *why,
	       size_t why_size)
{
	struct stats_snapshot *snapshot;
	int fd, status;

	/* A FIFO of that name must not hang us. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return refuse_read(why, why_size);
	snapshot = cli_alloc(sizeof(*snapshot));
	status = read_open(fd, snapshot, why, why_size);
	close(fd);
	if (status == 0 && find_tick(snapshot))
		status =
		    refuse(why, why_size, "its clock's rate is not known here");
	if (status) {
		stats_snapshot_free(snapshot);
		return -1;
	}
	snapshot->alive =
	    snapshot->header.start_time != 0 &&
	    process_start(snapshot->header.pid) == snapshot->header.start_time;
	*out = snapshot;
	return 0;
}

void stats_snapshot_free(struct stats_snapshot *snapshot)
{
	if (!snapshot)
		return;
	free(snapshot->rules);
	free(snapshot);
}

/* --- Distributions ----------------------------------------------------- */

enum { TIMES_EACH = 128, TIMES_UNIT = 16 /* of a nanosecond */ };

static unsigned int times_bucket(double ns)
{
	uint64_t units;
	unsigned int top;

	/* Also what is not a number. */
	if (!(ns > 0))
		return 0;
	if (ns >= stats_times_start(STATS_TIMES_BUCKETS - 1))
		return STATS_TIMES_BUCKETS - 1;
	units = (uint64_t)(ns * TIMES_UNIT);
	if (units < TIMES_EACH)
		return (unsigned int)units;
	top = 63 - (unsigned int)__builtin_clzll(units);
	return (top - 6) * TIMES_EACH +
	       (unsigned int)(units >> (top - 7)) % TIMES_EACH;
}

double stats_times_start(unsigned int bucket)
{
	unsigned int octave = bucket / TIMES_EACH;
	uint64_t units = bucket;

	if (octave > 0)
		units = (uint64_t)(TIMES_EACH + bucket % TIMES_EACH)
			<< (octave - 1);
	return (double)units / TIMES_UNIT;
}

double stats_times_quantile(const struct stats_times *times, double q)
{
	double rank = ceil(q * (double)times->n);
	uint64_t seen = 0;
	unsigned int i;

	if (times->n == 0)
		return NAN;
	if (rank < 1)
		rank = 1;
	for (i = 0; i < STATS_TIMES_BUCKETS - 1; i++) {
		seen += times->count[i];
		if ((double)seen >= rank)
			break;
	}
	if (q >= 1)
		return stats_times_start(i + 1);
	return (stats_times_start(i) + stats_times_start(i + 1)) / 2;
}

static void times_add(struct stats_times *to, const uint64_t *buckets,
		      double tick_ns)
{
	double middle;

	for (unsigned int i = 0; i < STATS_BUCKETS; i++) {
		if (buckets[i] == 0)
			continue;
		middle = ((double)stats_bucket_start(i) +
			  (double)stats_bucket_start(i + 1)) /
			 2;
		to->count[times_bucket(middle * tick_ns)] += buckets[i];
		to->n += buckets[i];
	}
}

static void times_merge(struct stats_times *to, const struct stats_times *from)
{
	to->n += from->n;
	for (unsigned int i = 0; i < STATS_TIMES_BUCKETS; i++)
		to->count[i] += from->count[i];
}

/* --- Totals ------------------------------------------------------------ */

static void arm_add(struct stats_total_arm *to,
		    const struct stats_file_arm *from, double tick_ns)
{
	to->calls += from->calls;
	to->bytes += from->bytes;
	to->sync_ns += (double)from->sync_ticks * tick_ns;
	to->max_ns = fmax(to->max_ns, (double)from->max_ticks * tick_ns);
	to->between_calls += from->between_calls;
	to->between_ns += (double)from->between_ticks * tick_ns;
	to->blocks += from->blocks;
	to->block_calls += from->block_calls;
	to->block_faults += from->block_faults;
	to->block_ns += (double)from->block_ticks * tick_ns;
	times_add(&to->latency, from->latency, tick_ns);
	times_add(&to->between, from->between, tick_ns);
}

static void arm_merge(struct stats_total_arm *to,
		      const struct stats_total_arm *from)
{
	to->calls += from->calls;
	to->bytes += from->bytes;
	to->sync_ns += from->sync_ns;
	to->max_ns = fmax(to->max_ns, from->max_ns);
	to->between_calls += from->between_calls;
	to->between_ns += from->between_ns;
	to->blocks += from->blocks;
	to->block_calls += from->block_calls;
	to->block_faults += from->block_faults;
	to->block_ns += from->block_ns;
	times_merge(&to->latency, &from->latency);
	times_merge(&to->between, &from->between);
}

/* The total of such a rule, made when it is the first. */
static struct stats_total_rule *total_rule(struct stats_total *total,
					   const struct stats_file_rule *like)
{
	struct stats_total_rule *rule;

	for (size_t i = 0; i < total->nrules; i++) {
		rule = total->rules[i];
		if (!strcmp(rule->path, like->path) &&
		    !strcmp(rule->options, like->options))
			return rule;
	}
	total->rules =
	    cli_realloc(total->rules, (total->nrules + 1) *
					  sizeof(struct stats_total_rule *));
	rule = cli_alloc(sizeof(*rule));
	snprintf(rule->path, sizeof(rule->path), "%s", like->path);
	snprintf(rule->options, sizeof(rule->options), "%s", like->options);
	rule->mode = like->mode;
	rule->block_len = like->block_len;
	total->rules[total->nrules++] = rule;
	return rule;
}

static void weigh(double *mean, uint64_t n, double more, uint64_t samples)
{
	*mean += (more - *mean) * (double)samples / (double)(n + samples);
}

static void belief_add(struct stats_total_belief *to,
		       const struct stats_file_belief *from)
{
	for (int arm = 0; arm < STATS_ARMS; arm++) {
		const uint64_t n = to->samples[arm], more = from->samples[arm];

		if (more == 0)
			continue;
		weigh(&to->cost_ns[arm], n, (double)from->cost_ns[arm], more);
		weigh(&to->sync_ns[arm], n, (double)from->sync_ns[arm], more);
		weigh(&to->faults[arm], n, (double)from->faults[arm] / 1000,
		      more);
		to->samples[arm] += more;
	}
	if (from->samples[STATS_ARM_KERNEL] + from->samples[STATS_ARM_USER])
		to->chosen[from->chosen % STATS_ARMS]++;
	to->changes += from->changes;
	to->tries += from->tries;
}

static void total_add_rule(struct stats_total *total,
			   const struct stats_file_rule *from, double tick_ns)
{
	struct stats_total_rule *to;

	to = total_rule(total, from);
	for (size_t i = 0; i < STATS_FILE_COUNTERS; i++)
		to->counters[i] += from->counters[i];
	for (size_t i = 0; i < STATS_ARMS; i++)
		arm_add(&to->arms[i], &from->arms[i], tick_ns);
	for (size_t i = 0; i < STATS_CELLS; i++)
		belief_add(&to->beliefs[i], &from->beliefs[i]);
}

void stats_total_add(struct stats_total *total,
		     const struct stats_snapshot *snapshot)
{
	total->files++;
	total->alive += snapshot->alive;
	total->unfinished += !snapshot->alive && snapshot->header.ended == 0;
	for (size_t i = 0; i < snapshot->header.nrules; i++)
		total_add_rule(total, &snapshot->rules[i], snapshot->tick_ns);
}

void stats_total_free(struct stats_total *total)
{
	for (size_t i = 0; i < total->nrules; i++)
		free(total->rules[i]);
	free(total->rules);
	*total = (struct stats_total){0};
}

uint64_t stats_total_counter(const struct stats_total *total,
			     unsigned int counter)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < total->nrules; i++)
		sum += total->rules[i]->counters[counter];
	return sum;
}

void stats_total_sum_arm(const struct stats_total *total, enum stats_arm arm,
			 struct stats_total_arm *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < total->nrules; i++)
		arm_merge(out, &total->rules[i]->arms[arm]);
}

/* --- Blocks ------------------------------------------------------------ */

/* Complete, and where its number says; not one that is being overwritten. */
static bool block_is_whole(const struct stats_file_block *block, size_t slot)
{
	return block->number > 0 &&
	       (block->number - 1) % STATS_BLOCKS == slot &&
	       block->arm < STATS_ARMS && block->calls > 0 &&
	       block->end > block->start;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = ((const struct stats_block *)a)->number;
	uint64_t y = ((const struct stats_block *)b)->number;

	return (x > y) - (x < y);
}

size_t stats_blocks(const struct stats_snapshot *snapshot, size_t rule,
		    struct stats_block *out)
{
	const struct stats_file_block *blocks = snapshot->rules[rule].blocks;
	size_t n = 0;

	for (size_t i = 0; i < STATS_BLOCKS; i++) {
		if (!block_is_whole(&blocks[i], i))
			continue;
		out[n++] = (struct stats_block){
		    .number = blocks[i].number - 1,
		    .arm = (enum stats_arm)blocks[i].arm,
		    .calls = blocks[i].calls,
		    .bytes = blocks[i].bytes,
		    .faults = blocks[i].faults,
		    .sync_ns = (double)blocks[i].sync_ticks * snapshot->tick_ns,
		    .total_ns = (double)(blocks[i].end - blocks[i].start) *
				snapshot->tick_ns,
		};
	}
	qsort(out, n, sizeof(*out), by_number);
	return n;
}
