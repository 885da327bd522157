/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The text of the statistics, and where it may be written.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/stats.h"

static char dir[] = "/tmp/pmemshim-stats-XXXXXX";
static char path[256];
static struct config config = {
	.rules = { { .path = "/mnt/a", .path_len = 6 },
		   { .path = "", .path_len = 0 } },
	.nrules = 2, .stats = path,
};

static void make_dir(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/stats", dir);
}

static void remove_dir(void)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

static const char *content(const char *name)
{
	static char text[4096];
	int fd = open(name, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

TestSuite(stats, .init = make_dir, .fini = remove_dir);

Test(stats, one_block_for_each_rule_with_what_happened)
{
	char expected[512];

	stats_init(&config);
	stats_add(0, STATS_PERSISTED, 3);
	stats_add(0, STATS_PERSISTED, 4);
	stats_add(1, STATS_KERNEL_FIRST, 1);
	stats_write();
	snprintf(expected, sizeof(expected),
		 "libpmemshim: process %d (%s)\n"
		 "rule /mnt/a\n"
		 "           7  msync persisted from user space\n"
		 "rule /\n"
		 "           1  msync by the kernel: first call on the mapping\n",
		 getpid(), program_invocation_short_name);
	cr_assert_str_eq(content(path), expected);
}

Test(stats, a_rule_without_mappings_says_so)
{
	stats_init(&config);
	stats_write();
	cr_assert_not_null(strstr(content(path), "rule /mnt/a\n"
				  "           0  mappings under this rule\n"));
}

Test(stats, the_file_is_the_owners_alone)
{
	struct stat st;

	umask(0);
	stats_init(&config);
	stats_write();
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
}

Test(stats, processes_append)
{
	size_t first;

	stats_init(&config);
	stats_write();
	first = strlen(content(path));
	stats_write();
	cr_assert_eq(strlen(content(path)), 2 * first);
}

Test(stats, a_symbolic_link_is_not_followed)
{
	char target[300];

	snprintf(target, sizeof(target), "%s/target", dir);
	cr_assert_eq(symlink(target, path), 0);
	stats_init(&config);
	stats_write();
	cr_assert_eq(access(target, F_OK), -1);
}

Test(stats, a_fifo_without_a_reader_does_not_hold_the_program_up, .timeout = 5)
{
	cr_assert_eq(mkfifo(path, 0600), 0);
	stats_init(&config);
	stats_write();
}

Test(stats, p_is_the_process_id)
{
	char expected[300];

	snprintf(path, sizeof(path), "%s/%%p.%%p", dir);
	snprintf(expected, sizeof(expected), "%s/%d.%d", dir, getpid(),
		 getpid());
	stats_init(&config);
	stats_write();
	cr_assert_eq(access(expected, F_OK), 0);
}

Test(stats, a_directory_gets_a_file_for_each_process)
{
	char expected[300];

	snprintf(path, sizeof(path), "%s", dir);
	snprintf(expected, sizeof(expected), "%s/pmemshim.%d", dir, getpid());
	stats_init(&config);
	stats_write();
	cr_assert_eq(access(expected, F_OK), 0);
}

Test(stats, off_counts_and_writes_nothing)
{
	struct config off = config;

	off.stats = NULL;
	stats_init(&off);
	stats_add(0, STATS_PERSISTED, 1);
	stats_write();
	cr_assert_eq(stats_counts[0][STATS_PERSISTED], 0);
	cr_assert_eq(access(path, F_OK), -1);
}

Test(stats, a_reset_starts_again)
{
	stats_init(&config);
	stats_add(1, STATS_COPIES, 1);
	stats_reset();
	cr_assert_eq(stats_counts[1][STATS_COPIES], 0);
}
