/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reader of statistics files, with files written by the layout alone:
 * what is right comes out in nanoseconds, what is wrong is one line.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/stats_read.h"
#include "shim/stats.h"

static char dir[] = "/tmp/pmemshim-read-XXXXXX";
static char path[256];
static char why[256];

struct image {
	struct stats_file_header header;
	struct stats_file_rule rules[2];
};

static struct image image;

/* Two ticks to a nanosecond, over a second. */
static void make_image(void)
{
	struct stats_file_header *header = &image.header;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/stats", dir);
	*header = (struct stats_file_header){
		.magic = STATS_FILE_MAGIC,
		.version = STATS_FILE_VERSION,
		.header_size = sizeof(image.header),
		.rule_size = sizeof(image.rules[0]),
		.nrules = 2,
		.arms = STATS_ARMS,
		.buckets = STATS_BUCKETS,
		.blocks = STATS_BLOCKS,
		.cells = STATS_CELLS,
		.counters = STATS_COUNTERS,
		.pid = 1 << 29,
		.file_size = sizeof(image),
		.start_time = 5,
		.clock = STATS_CLOCK_TSC,
		.first_ticks = 1000,
		.first_ns = 500,
		.ended = 7,
		.program = "/bin/program",
		.shim_version = "9.9",
	};
	header->renewals = 3;
	header->renewed[1].ticks = 1000 + 2000000000;
	header->renewed[1].ns = 500 + 1000000000;
	strcpy(image.rules[0].path, "/mnt/a");
	strcpy(image.rules[0].options, "mode=ab");
	strcpy(image.rules[1].path, "/");
}

static void remove_dir(void)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(stats_read, .init = make_image, .fini = remove_dir);

static void write_image(size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_eq(write(fd, &image, size), (ssize_t)size);
	close(fd);
}

static struct stats_snapshot *read_image(void)
{
	struct stats_snapshot *snapshot = NULL;

	write_image(sizeof(image));
	cr_assert_eq(stats_read(path, &snapshot, why, sizeof(why)), 0, "%s",
		     why);
	return snapshot;
}

static void expect_refusal(size_t size, const char *text)
{
	struct stats_snapshot *snapshot = NULL;

	write_image(size);
	cr_assert_eq(stats_read(path, &snapshot, why, sizeof(why)), -1);
	cr_assert_null(snapshot);
	cr_assert_str_eq(why, text);
}

static void count_call(struct stats_file_arm *arm, uint64_t ticks)
{
	arm->calls++;
	arm->bytes += 4096;
	arm->sync_ticks += ticks;
	if (ticks > arm->max_ticks)
		arm->max_ticks = ticks;
	arm->latency[stats_bucket(ticks)]++;
}

static struct stats_file_block *block(uint64_t number, enum stats_arm arm)
{
	struct stats_file_block *block =
		&image.rules[0].blocks[number % STATS_BLOCKS];

	*block = (struct stats_file_block){
		.number = number + 1, .arm = arm, .calls = 16, .bytes = 65536,
		.sync_ticks = 3200, .start = 10000 * number + 1000,
		.end = 10000 * (number + 1) + 1000, .faults = 3};
	return block;
}

Test(stats_read, what_was_written_is_read)
{
	struct stats_snapshot *snapshot = read_image();

	cr_assert_str_eq(snapshot->header.program, "/bin/program");
	cr_assert_str_eq(snapshot->rules[0].path, "/mnt/a");
	cr_assert_str_eq(snapshot->rules[1].path, "/");
	cr_assert_float_eq(snapshot->tick_ns, 0.5, 1e-12);
	cr_assert_not(snapshot->tick_measured_here);
	cr_assert_not(snapshot->alive);
	stats_snapshot_free(snapshot);
}

Test(stats_read, the_clock_that_counts_nanoseconds_needs_no_rate)
{
	image.header.clock = STATS_CLOCK_NS;
	image.header.renewals = 0;
	cr_assert_eq(read_image()->tick_ns, 1);
}

/* A process killed before its first renewal. */
Test(stats_read, without_a_second_moment_the_rate_is_measured)
{
#if defined(__x86_64__)
	struct stats_snapshot *snapshot;

	image.header.renewed[1] = image.header.renewed[0];
	image.header.renewed[1].ticks = image.header.first_ticks;
	image.header.renewed[1].ns = image.header.first_ns;
	snapshot = read_image();
	cr_assert(snapshot->tick_measured_here);
	cr_assert(snapshot->tick_ns > 0.1 && snapshot->tick_ns < 10);
#else
	image.header.renewals = 0;
	expect_refusal(sizeof(image), "its clock's rate is not known here");
#endif
}

Test(stats_read, the_process_is_alive_when_it_is_still_the_same)
{
	char text[1024] = "", *at;
	int fd = open("/proc/self/stat", O_RDONLY);

	cr_assert_gt(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	at = strrchr(text, ')');
	for (int field = 2; field < 22; field++)
		at = strchr(at + 1, ' ');
	image.header.pid = getpid();
	image.header.start_time = strtoull(at, NULL, 10);
	cr_assert(read_image()->alive);
	image.header.start_time++;
	cr_assert_not(read_image()->alive);
}

Test(stats_read, no_file)
{
	struct stats_snapshot *snapshot;

	cr_assert_eq(stats_read(path, &snapshot, why, sizeof(why)), -1);
	cr_assert_str_eq(why, "No such file or directory");
}

Test(stats_read, a_directory_or_a_fifo_is_refused_at_once)
{
	struct stats_snapshot *snapshot;

	cr_assert_eq(stats_read(dir, &snapshot, why, sizeof(why)), -1);
	cr_assert_str_eq(why, "not a regular file");
	cr_assert_eq(mkfifo(path, 0600), 0);
	alarm(10);
	cr_assert_eq(stats_read(path, &snapshot, why, sizeof(why)), -1);
	cr_assert_str_eq(why, "not a regular file");
}

Test(stats_read, an_empty_file)
{
	expect_refusal(0, "not a statistics file: too short");
}

Test(stats_read, a_foreign_file)
{
	memset(&image, 'x', sizeof(image));
	expect_refusal(sizeof(image), "not a statistics file of libpmemshim");
}

Test(stats_read, a_file_whose_header_was_not_finished)
{
	image.header.magic = 0;
	expect_refusal(sizeof(image),
		       "not a statistics file, or one whose process has not begun to count");
}

Test(stats_read, the_other_byte_order)
{
	image.header.magic = __builtin_bswap64(STATS_FILE_MAGIC);
	expect_refusal(sizeof(image),
		       "written by a machine of the other byte order");
}

Test(stats_read, another_version_whatever_its_size)
{
	char text[128];

	image.header.version = STATS_FILE_VERSION + 1;
	snprintf(text, sizeof(text),
		 "statistics of version %d; this pmemshim reads version %d",
		 STATS_FILE_VERSION + 1, STATS_FILE_VERSION);
	expect_refusal(sizeof(image), text);
	expect_refusal(100, text);
}

Test(stats_read, counters_of_another_shim)
{
	image.header.counters--;
	expect_refusal(sizeof(image),
		       "written by libpmemshim 9.9, which counts other things than this pmemshim");
}

Test(stats_read, every_length_that_is_too_short_is_refused)
{
	struct stats_snapshot *snapshot = NULL;
	char text[128];

	snprintf(text, sizeof(text), "truncated: %zu bytes of %zu",
		 sizeof(image) - 1, sizeof(image));
	expect_refusal(sizeof(image) - 1, text);
	for (size_t size = 0; size < sizeof(image);
	     size += size < 1200 ? 7 : 40009) {
		write_image(size);
		cr_assert_eq(stats_read(path, &snapshot, why, sizeof(why)), -1,
			     "%zu", size);
		cr_assert_null(strchr(why, '\n'));
	}
}

#define DAMAGED(field, value) \
	do { \
		__typeof__(image.header.field) kept = image.header.field; \
		image.header.field = (value); \
		expect_refusal(sizeof(image), \
			       "damaged: its header does not add up"); \
		image.header.field = kept; \
	} while (0)

Test(stats_read, each_size_in_the_header_is_looked_at)
{
	DAMAGED(header_size, sizeof(image.header) + 8);
	DAMAGED(rule_size, 0);
	DAMAGED(nrules, 1);
	DAMAGED(nrules, 65);
	DAMAGED(nrules, UINT32_MAX);
	DAMAGED(arms, 3);
	DAMAGED(buckets, 0);
	DAMAGED(blocks, STATS_BLOCKS * 2);
	DAMAGED(counters, STATS_FILE_COUNTERS + 1);
	DAMAGED(file_size, 1);
	DAMAGED(clock, 2);
	DAMAGED(pid, 0);
	/* More rules than there can be, and all else in order. */
	image.header.nrules = 65;
	DAMAGED(file_size, sizeof(image.header) +
				   65 * sizeof(image.rules[0]));
}

Test(stats_read, texts_without_an_end_are_cut)
{
	struct stats_snapshot *snapshot;

	memset(image.header.program, 'p', sizeof(image.header.program));
	memset(image.rules[1].path, 'q', sizeof(image.rules[1].path));
	memset(image.rules[1].options, 'r', sizeof(image.rules[1].options));
	snapshot = read_image();
	cr_assert_eq(strlen(snapshot->header.program), 255);
	cr_assert_eq(strlen(snapshot->rules[1].path), STATS_FILE_PATH - 1);
	cr_assert_eq(strlen(snapshot->rules[1].options), 1023);
}

/* Whatever bytes: an answer, no crash. With a good header, all of the rest. */
Test(stats_read, any_bytes_behind_a_good_header)
{
	struct stats_total total = {0};
	struct stats_snapshot *snapshot;
	struct stats_block blocks[STATS_BLOCKS];
	unsigned char *bytes = (unsigned char *)&image.rules;

	srandom(1);
	for (size_t i = 0; i < sizeof(image.rules); i++)
		bytes[i] = (unsigned char)random();
	snapshot = read_image();
	stats_total_add(&total, snapshot);
	cr_assert_leq(stats_blocks(snapshot, 0, blocks), STATS_BLOCKS);
	cr_assert_eq(total.nrules, 2);
	stats_total_free(&total);
}

Test(stats_read, ticks_become_nanoseconds)
{
	struct stats_file_arm *from = &image.rules[0].arms[STATS_ARM_USER];
	struct stats_total total = {0};
	struct stats_total_arm *arm;

	for (int i = 1; i <= 1000; i++)
		count_call(from, 2000 * (uint64_t)i);
	from->blocks = 5;
	from->block_calls = 80;
	from->block_ticks = 1000;
	from->block_faults = 9;
	from->between_calls = 1;
	from->between_ticks = 300;
	from->between[stats_bucket(300)] = 1;
	stats_total_add(&total, read_image());
	arm = &total.rules[0]->arms[STATS_ARM_USER];
	cr_assert_eq(arm->calls, 1000);
	cr_assert_eq(arm->bytes, 4096000);
	cr_assert_float_eq(arm->sync_ns, 500500000, 1);
	cr_assert_float_eq(arm->max_ns, 1000000, 0.01);
	cr_assert_float_eq(arm->block_ns, 500, 0.01);
	cr_assert_eq(arm->block_faults, 9);
	cr_assert_float_eq(arm->between_ns, 150, 0.01);
	cr_assert_eq(arm->between.n, 1);
	cr_assert_eq(total.rules[0]->arms[STATS_ARM_KERNEL].calls, 0);
}

/* Better than 4 %, over the whole range. */
Test(stats_read, quantiles_are_right_within_the_resolution)
{
	struct stats_file_arm *from = &image.rules[0].arms[0];
	struct stats_total total = {0};
	const struct stats_times *times;
	static const double at[] = {0.01, 0.1, 0.5, 0.9, 0.99, 0.999};
	double expected, found;

	/* From 100 ns to 2.3 s, each 0.1 % above the last. */
	for (int i = 0; i < 17000; i++)
		count_call(from, (uint64_t)(200 * pow(1.001, i)));
	stats_total_add(&total, read_image());
	times = &total.rules[0]->arms[0].latency;
	cr_assert_eq(times->n, 17000);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		expected = 100 * pow(1.001, 17000 * at[i] - 1);
		found = stats_times_quantile(times, at[i]);
		cr_expect_lt(fabs(found / expected - 1), 0.025, "%g: %g, not %g",
			     at[i], found, expected);
	}
	cr_expect_lt(fabs(stats_times_quantile(times, 1) /
				  (100 * pow(1.001, 16999)) - 1), 0.04);
}

Test(stats_read, quantiles_of_few)
{
	struct stats_times times = {0};

	cr_assert(isnan(stats_times_quantile(&times, 0.5)));
	times.n = 1;
	times.count[3] = 1;
	cr_assert_float_eq(stats_times_quantile(&times, 0.5), 3.5 / 16, 1e-9);
	cr_assert_float_eq(stats_times_quantile(&times, 0), 3.5 / 16, 1e-9);
}

Test(stats_read, buckets_of_times_follow_each_other)
{
	for (unsigned int i = 0; i < STATS_TIMES_BUCKETS; i++) {
		double from = stats_times_start(i);
		double to = stats_times_start(i + 1);

		cr_assert_lt(from, to);
		cr_assert(i < 256 || to / from < 1.0079);
	}
}

Test(stats_read, files_of_unlike_clocks_are_added_up)
{
	struct stats_total total = {0};
	struct stats_total_arm sum;

	count_call(&image.rules[0].arms[0], 2000000);
	image.rules[0].counters[STATS_FLUSHED] = 64;
	stats_total_add(&total, read_image());
	image.header.renewed[1].ns = 500 + 4000000000;	/* 2 ns a tick */
	image.header.ended = 0;
	image.rules[1].counters[STATS_FLUSHED] = 1000;
	stats_total_add(&total, read_image());
	cr_assert_eq(total.files, 2);
	cr_assert_eq(total.unfinished, 1);
	cr_assert_eq(total.nrules, 2);
	cr_assert_eq(stats_total_counter(&total, STATS_FLUSHED), 1128);
	stats_total_sum_arm(&total, STATS_ARM_KERNEL, &sum);
	cr_assert_eq(sum.calls, 2);
	cr_assert_float_eq(sum.sync_ns, 5e6, 1);
	cr_assert_float_eq(sum.max_ns, 4e6, 1);
	cr_assert_eq(sum.latency.n, 2);
	cr_assert_lt(fabs(stats_times_quantile(&sum.latency, 0.5) / 1e6 - 1),
		     0.02);
	cr_assert_lt(fabs(stats_times_quantile(&sum.latency, 0.99) / 4e6 - 1),
		     0.02);
}

Test(stats_read, rules_are_one_when_path_and_options_are)
{
	struct stats_total total = {0};

	stats_total_add(&total, read_image());
	stats_total_add(&total, read_image());
	cr_assert_eq(total.nrules, 2);
	strcpy(image.rules[0].options, "mode=kernel");
	stats_total_add(&total, read_image());
	cr_assert_eq(total.nrules, 3);
	strcpy(image.rules[1].path, "/mnt/b");
	stats_total_add(&total, read_image());
	cr_assert_eq(total.nrules, 4);
}

Test(stats_read, blocks_come_in_order_and_in_nanoseconds)
{
	static struct stats_block blocks[STATS_BLOCKS];
	struct stats_snapshot *snapshot;

	/* The ring has gone round: 2048 and 2049 are where 0 and 1 were. */
	for (uint64_t i = 2; i < STATS_BLOCKS + 2; i++)
		block(i, i % 2 ? STATS_ARM_USER : STATS_ARM_KERNEL);
	snapshot = read_image();
	cr_assert_eq(stats_blocks(snapshot, 0, blocks), STATS_BLOCKS);
	for (size_t i = 0; i < STATS_BLOCKS; i++) {
		cr_assert_eq(blocks[i].number, i + 2);
		cr_assert_eq(blocks[i].arm, i % 2);
	}
	cr_assert_eq(blocks[0].calls, 16);
	cr_assert_eq(blocks[0].faults, 3);
	cr_assert_float_eq(blocks[0].sync_ns, 1600, 1e-6);
	cr_assert_float_eq(blocks[0].total_ns, 5000, 1e-6);
	cr_assert_eq(stats_blocks(snapshot, 1, blocks), 0);
}

Test(stats_read, blocks_that_are_not_whole_are_left_out)
{
	static struct stats_block blocks[STATS_BLOCKS];

	block(0, STATS_ARM_USER);
	block(1, STATS_ARM_KERNEL)->end = 0;		/* still going on */
	block(2, STATS_ARM_KERNEL)->arm = 2;
	block(3, STATS_ARM_KERNEL)->calls = 0;
	block(4, STATS_ARM_KERNEL)->number = 9;		/* being overwritten */
	block(5, STATS_ARM_KERNEL)->end = 1;		/* ended before it began */
	cr_assert_eq(stats_blocks(read_image(), 0, blocks), 1);
	cr_assert_eq(blocks[0].number, 0);
}

/* Beliefs */

static void believe(size_t rule, uint64_t samples, uint64_t cost, uint64_t arm)
{
	struct stats_file_belief *belief = &image.rules[rule].beliefs[5];

	belief->samples[STATS_ARM_USER] = samples;
	belief->cost_ns[STATS_ARM_USER] = cost;
	belief->faults[STATS_ARM_USER] = 1500;
	belief->chosen = arm;
	belief->tries = 2;
}

Test(stats_read, beliefs_are_weighed_by_their_samples)
{
	struct stats_total total = {0};
	const struct stats_total_belief *belief;

	believe(0, 10, 1000, STATS_ARM_USER);
	stats_total_add(&total, read_image());
	believe(0, 30, 2000, STATS_ARM_KERNEL);
	stats_total_add(&total, read_image());
	belief = &total.rules[0]->beliefs[5];
	cr_assert_eq(belief->samples[STATS_ARM_USER], 40);
	cr_assert_float_eq(belief->cost_ns[STATS_ARM_USER], 1750, 1e-6);
	cr_assert_float_eq(belief->faults[STATS_ARM_USER], 1.5, 1e-9);
	cr_assert_eq(belief->samples[STATS_ARM_KERNEL], 0);
	cr_assert_eq(belief->tries, 4);
	cr_assert_eq(belief->chosen[STATS_ARM_USER], 1);
	cr_assert_eq(belief->chosen[STATS_ARM_KERNEL], 1);
	cr_assert_eq(total.rules[0]->beliefs[4].samples[STATS_ARM_USER], 0);
	stats_total_free(&total);
}

/* What a damaged file says is not taken for an index. */
Test(stats_read, a_choice_that_is_none_is_one_of_the_two)
{
	struct stats_total total = {0};

	believe(0, 10, 1000, UINT64_MAX);
	stats_total_add(&total, read_image());
	cr_assert_eq(total.rules[0]->beliefs[5].chosen[0] +
		     total.rules[0]->beliefs[5].chosen[1], 1);
	stats_total_free(&total);
}
