/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The text of the statistics, and where it may be written.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

Test(stats, a_reset_without_statistics_changes_nothing)
{
	stats_counts[1][STATS_COPIES] = 5;
	stats_reset();
	cr_assert_eq(stats_counts[1][STATS_COPIES], 5);
}

/* A number that was cut would be a wrong one. */
Test(stats, what_has_no_room_is_left_out_by_whole_lines)
{
	static char text[1 << 17];
	struct config many = config;
	size_t len;
	int fd;

	many.nrules = CONFIG_RULES_MAX;
	for (size_t i = 0; i < CONFIG_RULES_MAX; i++)
		many.rules[i] = config.rules[0];
	stats_init(&many);
	for (size_t i = 0; i < CONFIG_RULES_MAX; i++)
		for (size_t k = 0; k < STATS_COUNTERS; k++)
			stats_add(i, (enum stats_counter)k, 123456789);
	stats_write();
	fd = open(path, O_RDONLY);
	len = (size_t)read(fd, text, sizeof(text) - 1);
	cr_assert_gt(len, 60000);
	cr_assert_eq(text[len - 1], '\n');
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		cr_assert(!strncmp(line, "   123456789  ", 14) ||
			  !strcmp(line, "rule /mnt/a") ||
			  !strncmp(line, "libpmemshim: ", 13), "%s", line);
}

Test(stats, a_name_that_is_too_long_is_one_warning)
{
	static char name[PATH_MAX];
	struct config odd = config;
	int log = memfd_create("stderr", 0);
	char said[256] = "";

	cr_assert_eq(dup2(log, STDERR_FILENO), STDERR_FILENO);
	log_init();
	memset(name, 'n', sizeof(name) - 1);
	name[0] = '/';
	odd.stats = name;
	stats_init(&odd);
	stats_write();
	cr_assert_gt(pread(log, said, sizeof(said) - 1, 0), 0);
	cr_assert_not_null(strstr(said, "the name is too long"));
	cr_assert_eq(strchr(said, '\n')[1], '\0');
}
