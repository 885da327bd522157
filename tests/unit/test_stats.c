/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The statistics file: where it may be, what is in it, and whose it is.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/real.h"
#include "shim/stats.h"

#define ALTERNATES	true
#define MS		UINT64_C(1000000)

static char dir[] = "/tmp/pmemshim-stats-XXXXXX";
static char path[256];
static struct config config = {
	.rules = { { .path = "/mnt/a", .path_len = 6, .block = 4,
		     .mode = CONFIG_MODE_AB },
		   { .path = "", .path_len = 0, .block = 4 } },
	.nrules = 2, .stats = path,
};
/* As on an architecture about which nothing is known. */
static struct arch_ops ops;

static void make_dir(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/stats", dir);
	real_bind();
}

static void remove_dir(void)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(stats, .init = make_dir, .fini = remove_dir);

static const char *name(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
static const char *name(const char *format, ...)
{
	static char names[4][512];
	static unsigned int next;
	char *out = names[next++ % 4];
	va_list args;
	size_t len = (size_t)snprintf(out, 512, "%s/", dir);

	va_start(args, format);
	vsnprintf(out + len, 512 - len, format, args);
	va_end(args);
	return out;
}

static void start(void)
{
	stats_init(&config, &ops);
	cr_assert_not_null(stats_file());
}

/* What another process sees of a file. */
static const struct stats_file_header *view(const char *file)
{
	struct stat st;
	int fd = open(file, O_RDONLY);
	void *map;

	cr_assert(fd >= 0 && fstat(fd, &st) == 0, "%s: %s", file,
		  strerror(errno));
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	cr_assert_neq(map, MAP_FAILED);
	return map;
}

static const struct stats_file_rule *rule(const char *file, size_t i)
{
	return (const struct stats_file_rule *)(view(file) + 1) + i;
}

static bool exists(const char *file)
{
	return access(file, F_OK) == 0;
}

static size_t files_in(const char *of)
{
	size_t n = 0;
	DIR *open_dir = opendir(of);

	while (readdir(open_dir))
		n++;
	closedir(open_dir);
	return n - 2;
}

/* One line of warning, and nothing was made. */
static void expect_off(const char *why)
{
	char text[1024] = "";
	int pipes[2], old = dup(2);
	ssize_t n;

	cr_assert_eq(pipe2(pipes, O_NONBLOCK), 0);
	dup2(pipes[1], 2);
	log_init();
	stats_init(&config, &ops);
	dup2(old, 2);
	n = read(pipes[0], text, sizeof(text) - 1);
	cr_assert(n > 0, "nothing was said");
	cr_assert_eq(strchr(text, '\n'), text + n - 1, "%s", text);
	cr_assert_not_null(strstr(text, why), "%s", text);
	cr_assert_null(stats_file());
	stats_add(0, STATS_PERSISTED, 1);
	stats_finish();
}

/* A call on a rule, as sync.c makes it; the arm it was given. */
static enum stats_arm call(size_t i, bool alternates)
{
	struct stats_call c = { .arm = STATS_ARM_USER };

	stats_begin(&c, i, stats_start(), alternates);
	stats_end(&c, 4096, false);
	return c.arm;
}

static uint64_t sum(const uint64_t *buckets)
{
	uint64_t n = 0;

	for (size_t i = 0; i < STATS_BUCKETS; i++)
		n += buckets[i];
	return n;
}

static void sleep_ms(long ms)
{
	const struct timespec t = { .tv_nsec = ms * 1000000 };

	nanosleep(&t, NULL);
}

/* Buckets */

Test(stats, a_bucket_holds_what_lies_between_its_start_and_the_next_ones)
{
	uint64_t t = 0;

	for (; t < UINT64_C(1) << 40; t += t / 1000 + 1) {
		unsigned int b = stats_bucket(t);

		cr_assert(stats_bucket_start(b) <= t &&
			  t < stats_bucket_start(b + 1), "%lu", t);
	}
	cr_assert_eq(stats_bucket(UINT64_MAX), STATS_BUCKETS - 1);
	cr_assert_eq(stats_bucket(UINT64_C(1) << 40), STATS_BUCKETS - 1);
	cr_assert_eq(stats_bucket((UINT64_C(1) << 40) - 1), STATS_BUCKETS - 1);
	cr_assert_eq(stats_bucket_start(STATS_BUCKETS), UINT64_C(1) << 40);
}

Test(stats, no_bucket_is_wider_than_four_hundredths)
{
	for (unsigned int b = 1; b < STATS_BUCKETS; b++) {
		uint64_t from = stats_bucket_start(b);
		uint64_t to = stats_bucket_start(b + 1);

		cr_assert_gt(to, from);
		cr_assert(to - from == 1 || (to - from) * 25 < from, "%u", b);
	}
}

/* Assignment */

Test(stats, two_blocks_hold_each_arm_once)
{
	for (uint64_t seed = 0; seed < 20; seed++)
		for (uint64_t block = 0; block < 2000; block += 2)
			cr_assert_neq(stats_assign(seed, 0, block),
				      stats_assign(seed, 0, block + 1));
}

Test(stats, which_arm_is_first_is_drawn_evenly_for_each_seed_rule_and_pair)
{
	size_t by_pair = 0, by_seed = 0, by_rule = 0;

	for (uint64_t i = 0; i < 10000; i++) {
		by_pair += stats_assign(1, 0, 2 * i);
		by_seed += stats_assign(i, 0, 0);
		by_rule += stats_assign(i / 64, i % 64, 0);
	}
	/* Five standard deviations. */
	cr_assert(by_pair > 4750 && by_pair < 5250, "%zu", by_pair);
	cr_assert(by_seed > 4750 && by_seed < 5250, "%zu", by_seed);
	cr_assert(by_rule > 4750 && by_rule < 5250, "%zu", by_rule);
}

Test(stats, neighbours_are_drawn_apart)
{
	size_t pairs = 0, seeds = 0, rules = 0;

	for (uint64_t i = 0; i < 10000; i++) {
		enum stats_arm arm = stats_assign(i, 3, 2 * i);

		pairs += arm == stats_assign(i, 3, 2 * i + 2);
		seeds += arm == stats_assign(i + 1, 3, 2 * i);
		rules += arm == stats_assign(i, 4, 2 * i);
	}
	cr_assert(pairs > 4750 && pairs < 5250, "%zu", pairs);
	cr_assert(seeds > 4750 && seeds < 5250, "%zu", seeds);
	cr_assert(rules > 4750 && rules < 5250, "%zu", rules);
}

Test(stats, the_same_seed_draws_the_same_order)
{
	config.seeded = true;
	config.seed = 42;
	start();
	cr_assert_eq(view(path)->seed, 42);
	for (uint64_t i = 0; i < 100; i++)
		cr_assert_eq(call(0, ALTERNATES), stats_assign(42, 0, i / 4));
}

Test(stats, without_a_seed_every_process_draws_its_own)
{
	pid_t child;

	start();
	child = fork();
	if (child == 0) {
		stats_after_fork();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	cr_assert_neq(view(name("stats.%d", child))->seed, view(path)->seed);
}

Test(stats, turns_are_taken_without_a_file_too)
{
	size_t user = 0;

	config.stats = NULL;
	config.seeded = true;
	log_set_level(LOG_ERROR);
	stats_init(&config, &ops);
	for (uint64_t i = 0; i < 80; i++) {
		enum stats_arm arm = call(0, ALTERNATES);

		cr_assert_eq(arm, stats_assign(0, 0, i / 4));
		user += arm;
	}
	cr_assert_eq(user, 40);
}

/* The file */

Test(stats, the_file_says_what_it_is_of)
{
	const struct stats_file_header *header;

	start();
	header = view(path);
	cr_assert_eq(header->magic, STATS_FILE_MAGIC);
	cr_assert_eq(header->version, STATS_FILE_VERSION);
	cr_assert_eq(header->pid, getpid());
	cr_assert_eq(header->ppid, getppid());
	cr_assert_eq(header->nrules, 2);
	cr_assert_eq(header->counters, STATS_COUNTERS);
	cr_assert_eq(header->file_size, header->header_size +
					2 * header->rule_size);
	cr_assert_eq(header->clock, STATS_CLOCK_NS);
	cr_assert_neq(header->start_time, 0);
	cr_assert_str_eq(header->flush, "none");
	cr_assert_str_eq(header->stream, "none");
	cr_assert_str_eq(header->shim_version, PMEMSHIM_VERSION);
	cr_assert_not_null(strstr(header->program, "/test_stats"));
	cr_assert_eq(header->ended, 0);
	cr_assert_str_eq(rule(path, 0)->path, "/mnt/a");
	cr_assert_str_eq(rule(path, 1)->path, "/");
	cr_assert_eq(rule(path, 0)->block_len, 4);
	cr_assert_not_null(strstr(rule(path, 0)->options, "mode=ab,"));
}

Test(stats, the_clock_is_the_cpus_where_it_is_steady)
{
	const struct stats_file_header *header;

	arch_init(&ops);
	if (!ops.ticks)
		cr_skip("this CPU's clock is not steady");
	start();
	header = view(path);
	cr_assert_eq(header->clock, STATS_CLOCK_TSC);
	sleep_ms(20);
	call(0, ALTERNATES);
	cr_assert_eq(header->renewals, 1);
	cr_assert(header->renewed[1].ns - header->first_ns >= 20 * MS);
	/* Between 0.1 and 10 GHz. */
	cr_assert(header->renewed[1].ticks - header->first_ticks > 2 * MS);
	cr_assert(header->renewed[1].ticks - header->first_ticks < 2000 * MS);
}

Test(stats, what_is_counted_is_there_at_once)
{
	start();
	stats_add(0, STATS_PERSISTED, 3);
	stats_add(0, STATS_PERSISTED, 4);
	stats_add(1, STATS_KERNEL_FIRST, 1);
	cr_assert_eq(rule(path, 0)->counters[STATS_PERSISTED], 7);
	cr_assert_eq(rule(path, 1)->counters[STATS_KERNEL_FIRST], 1);
	cr_assert_eq(rule(path, 1)->counters[STATS_PERSISTED], 0);
}

Test(stats, exit_is_stamped)
{
	start();
	stats_finish();
	cr_assert(view(path)->ended >= view(path)->first_ticks);
}

Test(stats, the_file_is_the_owners_alone_and_all_there)
{
	struct stat st;

	umask(0);
	start();
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
	cr_assert_eq((uint64_t)st.st_size, view(path)->file_size);
	cr_assert((uint64_t)st.st_blocks * 512 >= view(path)->file_size);
}

Test(stats, no_descriptor_stays_open)
{
	size_t before = files_in("/proc/self/fd");

	start();
	cr_assert_eq(files_in("/proc/self/fd"), before);
}

Test(stats, nothing_is_overwritten)
{
	for (int i = 0; i < 4; i++) {
		stats_init(&config, &ops);
		stats_add(0, STATS_PERSISTED, (uint64_t)i + 1);
	}
	cr_assert_eq(rule(path, 0)->counters[STATS_PERSISTED], 1);
	cr_assert_eq(rule(name("stats.%d", getpid()), 0)
			     ->counters[STATS_PERSISTED], 2);
	cr_assert_eq(rule(name("stats.%d.2", getpid()), 0)
			     ->counters[STATS_PERSISTED], 3);
	cr_assert_eq(rule(name("stats.%d.3", getpid()), 0)
			     ->counters[STATS_PERSISTED], 4);
	cr_assert_eq(files_in(dir), 4);
}

Test(stats, a_directory_gets_a_file_for_each)
{
	snprintf(path, sizeof(path), "%s", dir);
	start();
	start();
	cr_assert(exists(name("pmemshim.%d", getpid())));
	cr_assert(exists(name("pmemshim.%d.2", getpid())));
}

Test(stats, p_is_the_process_id)
{
	snprintf(path, sizeof(path), "%s/%%p.%%p%%", dir);
	start();
	cr_assert(exists(name("%d.%d%%", getpid(), getpid())));
}

Test(stats, a_symbolic_link_is_not_followed)
{
	cr_assert_eq(symlink("target", path), 0);
	expect_off("neither a directory nor an ordinary file");
	cr_assert_not(exists(name("target")));
}

Test(stats, a_symbolic_link_to_a_directory_is_not_followed)
{
	mkdir(name("target"), 0700);
	cr_assert_eq(symlink("target", path), 0);
	expect_off("neither a directory nor an ordinary file");
	cr_assert_eq(files_in(name("target")), 0);
}

Test(stats, a_fifo_does_not_hold_the_program_up, .timeout = 5)
{
	cr_assert_eq(mkfifo(path, 0600), 0);
	expect_off("neither a directory nor an ordinary file");
}

Test(stats, a_name_that_cannot_be_is_one_line)
{
	snprintf(path, sizeof(path), "%s/none/stats", dir);
	expect_off("No such file or directory");
}

Test(stats, a_name_that_is_too_long_is_one_line)
{
	static char long_name[5000];

	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[0] = '/';
	config.stats = long_name;
	expect_off("the name is too long");
	cr_assert_eq(files_in(dir), 0);
}

Test(stats, a_limit_on_file_sizes_is_kept)
{
	const struct rlimit little = { 4096, 4096 };

	setrlimit(RLIMIT_FSIZE, &little);
	expect_off("File too large");
	cr_assert_eq(files_in(dir), 0);
}

/* A mount of its own in dir; skips the test where that is not allowed. */
static void mount_there(const char *type, const char *options)
{
	if (unshare(CLONE_NEWNS) &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNS))
		cr_skip("no namespace: %s", strerror(errno));
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(type, dir, type, 0, options))
		cr_skip("no mount of %s: %s", type, strerror(errno));
}

Test(stats, a_full_disk_is_one_line_and_no_signal)
{
	mount_there("tmpfs", "size=64k");
	expect_off("No space left on device");
	cr_assert_eq(files_in(dir), 0);
	umount2(dir, MNT_DETACH);
}

Test(stats, a_file_system_without_fallocate_is_filled)
{
	struct stat st;

	mount_there("ramfs", NULL);
	start();
	stat(path, &st);
	cr_assert_eq((uint64_t)st.st_size, view(path)->file_size);
	cr_assert_eq((uint64_t)st.st_blocks * 512 / 4096,
		     (view(path)->file_size + 4095) / 4096);
	umount2(dir, MNT_DETACH);
}

Test(stats, off_counts_and_writes_nothing)
{
	config.stats = NULL;
	config.rules[0].mode = CONFIG_MODE_FLUSH;
	stats_init(&config, &ops);
	stats_add(0, STATS_PERSISTED, 1);
	cr_assert_eq(stats_start(), 0);
	stats_finish();
	cr_assert_eq(files_in(dir), 0);
}

/* Calls */

Test(stats, a_call_is_its_arms)
{
	const struct stats_file_arm *arm;
	struct stats_call c = { .arm = STATS_ARM_KERNEL };

	start();
	stats_begin(&c, 1, stats_start(), false);
	sleep_ms(3);
	stats_end(&c, 8192, true);
	call(1, false);
	arm = rule(path, 1)->arms;
	cr_assert_eq(rule(path, 1)->syncs, 2);
	cr_assert_eq(arm[STATS_ARM_KERNEL].calls, 1);
	cr_assert_eq(arm[STATS_ARM_KERNEL].bytes, 8192);
	cr_assert(arm[STATS_ARM_KERNEL].sync_ticks >= 3 * MS);
	cr_assert_eq(arm[STATS_ARM_KERNEL].sync_ticks,
		     arm[STATS_ARM_KERNEL].max_ticks);
	cr_assert_eq(arm[STATS_ARM_KERNEL].latency[stats_bucket(
			     arm[STATS_ARM_KERNEL].max_ticks)], 1);
	cr_assert_eq(arm[STATS_ARM_USER].calls, 1);
	cr_assert_lt(arm[STATS_ARM_USER].max_ticks, 3 * MS);
	cr_assert_eq(rule(path, 0)->syncs, 0);
}

Test(stats, the_longest_call_stays)
{
	struct stats_call c = { .arm = STATS_ARM_USER };
	uint64_t longest;

	start();
	stats_begin(&c, 1, stats_start(), false);
	sleep_ms(2);
	stats_end(&c, 1, false);
	longest = rule(path, 1)->arms[STATS_ARM_USER].max_ticks;
	call(1, false);
	cr_assert_eq(rule(path, 1)->arms[STATS_ARM_USER].max_ticks, longest);
}

Test(stats, errno_is_left_alone)
{
	start();
	errno = EDOM;
	for (int i = 0; i < 20; i++)
		call(0, ALTERNATES);
	stats_add(0, STATS_COPIES, 1);
	cr_assert_eq(errno, EDOM);
}

Test(stats, the_time_up_to_the_next_call_is_charged_to_the_arm_before_it)
{
	const struct stats_file_arm *arm;
	size_t n[STATS_ARMS] = { 0 };

	start();
	for (int i = 0; i < 40; i++) {
		enum stats_arm which = call(0, ALTERNATES);

		n[which]++;
		if (which == STATS_ARM_KERNEL)
			sleep_ms(1);
	}
	call(0, ALTERNATES);
	arm = rule(path, 0)->arms;
	cr_assert_eq(arm[STATS_ARM_KERNEL].between_calls, n[STATS_ARM_KERNEL]);
	cr_assert_eq(arm[STATS_ARM_USER].between_calls, n[STATS_ARM_USER]);
	cr_assert(arm[STATS_ARM_KERNEL].between_ticks >=
		  n[STATS_ARM_KERNEL] * MS);
	for (unsigned int b = 0; b < stats_bucket(MS); b++)
		cr_assert_eq(arm[STATS_ARM_KERNEL].between[b], 0);
	cr_assert_lt(arm[STATS_ARM_USER].between_ticks,
		     arm[STATS_ARM_KERNEL].between_ticks / 2);
	cr_assert_eq(sum(arm[STATS_ARM_USER].between), n[STATS_ARM_USER]);
}

Test(stats, page_faults_up_to_the_next_block_are_charged_to_the_arm_before_it)
{
	const struct stats_file_arm *arm;
	char *memory = mmap(NULL, 4096 * 400, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t page = 0;

	madvise(memory, 4096 * 400, MADV_NOHUGEPAGE);
	start();
	for (int i = 0; i < 80; i++)
		if (call(0, ALTERNATES) == STATS_ARM_KERNEL)
			for (int k = 0; k < 10; k++)
				memory[4096 * page++] = 1;
	call(0, ALTERNATES);
	arm = rule(path, 0)->arms;
	cr_assert_eq(page, 400);
	cr_assert(arm[STATS_ARM_KERNEL].block_faults >= 400);
	cr_assert_lt(arm[STATS_ARM_USER].block_faults, 40);
}

Test(stats, blocks_are_complete_when_the_next_one_begins)
{
	const struct stats_file_block *blocks;
	const struct stats_file_rule *r;

	start();
	for (int i = 0; i < 11; i++)
		call(0, ALTERNATES);
	r = rule(path, 0);
	blocks = r->blocks;
	for (uint64_t b = 0; b < 2; b++) {
		cr_assert_eq(blocks[b].number, b + 1);
		cr_assert_eq(blocks[b].arm,
			     stats_assign(view(path)->seed, 0, b));
		cr_assert_eq(blocks[b].calls, 4);
		cr_assert_eq(blocks[b].bytes, 4 * 4096);
		cr_assert(blocks[b].end >=
			  blocks[b].start + blocks[b].sync_ticks);
	}
	cr_assert(blocks[1].start >= blocks[0].end);
	cr_assert_eq(blocks[2].calls, 3);
	cr_assert_eq(blocks[2].end, 0);
	for (int arm = 0; arm < STATS_ARMS; arm++) {
		cr_assert_eq(r->arms[arm].blocks, 1);
		cr_assert_eq(r->arms[arm].block_calls, 4);
	}
	cr_assert_eq(r->arms[0].block_ticks + r->arms[1].block_ticks,
		     blocks[0].end - blocks[0].start + blocks[1].end -
		     blocks[1].start);
}

Test(stats, the_ring_of_blocks_holds_the_last_ones)
{
	const struct stats_file_rule *r;
	uint64_t last = STATS_BLOCKS + 5;

	start();
	for (uint64_t i = 0; i < 4 * last + 4; i++)
		call(0, ALTERNATES);
	r = rule(path, 0);
	cr_assert_eq(r->arms[0].blocks + r->arms[1].blocks, last);
	for (uint64_t b = last - STATS_BLOCKS + STATS_BLOCKS_AHEAD + 1;
	     b < last; b++) {
		cr_assert_eq(r->blocks[b % STATS_BLOCKS].number, b + 1);
		cr_assert_eq(r->blocks[b % STATS_BLOCKS].calls, 4);
	}
	for (uint64_t b = last + 1; b <= last + STATS_BLOCKS_AHEAD; b++)
		cr_assert_eq(r->blocks[b % STATS_BLOCKS].number, 0);
}

Test(stats, blocks_of_any_length_begin_where_they_should)
{
	static const uint64_t lengths[] = { 1, 3, 7, 16, 1000 };

	for (size_t i = 0; i < 5; i++) {
		uint64_t len = lengths[i];

		config.rules[0].block = len;
		config.seeded = true;
		stats_init(&config, &ops);
		for (uint64_t n = 0; n < 3000; n++)
			cr_assert_eq(call(0, ALTERNATES),
				     stats_assign(0, 0, n / len), "%lu %lu",
				     len, n);
		cr_assert_eq(stats_file()->arms[0].blocks +
			     stats_file()->arms[1].blocks, 2999 / len);
	}
}

enum { THREADS = 4, CALLS = 100000 };

static void *make_calls(void *arg)
{
	pthread_barrier_wait(arg);
	for (int i = 0; i < CALLS; i++) {
		call(0, ALTERNATES);
		stats_add(0, STATS_COPIES, 1);
	}
	return arg;
}

Test(stats, threads_lose_no_call, .timeout = 60)
{
	const struct stats_file_rule *r;
	pthread_t threads[THREADS];
	pthread_barrier_t barrier;
	uint64_t user, kernel;

	start();
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, make_calls, &barrier);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	r = rule(path, 0);
	user = r->arms[STATS_ARM_USER].calls;
	kernel = r->arms[STATS_ARM_KERNEL].calls;
	cr_assert_eq(r->syncs, THREADS * CALLS);
	cr_assert_eq(user, THREADS * CALLS / 2);
	cr_assert_eq(kernel, THREADS * CALLS / 2);
	cr_assert_eq(sum(r->arms[STATS_ARM_USER].latency), user);
	cr_assert_eq(sum(r->arms[STATS_ARM_KERNEL].latency), kernel);
	cr_assert_eq(r->counters[STATS_COPIES], THREADS * CALLS);
	cr_assert_eq(r->arms[0].bytes + r->arms[1].bytes,
		     (uint64_t)THREADS * CALLS * 4096);
}

static volatile sig_atomic_t interruptions;

static void count_too(int number)
{
	(void)number;
	stats_add(0, STATS_COPIES, 1);
	interruptions++;
}

Test(stats, a_signal_handler_that_counts_in_between_is_not_lost)
{
	static const char alone = 1;
	const struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { 0 };
	uint64_t n = 0;

	start();
	/* Criterion's runner had threads; the shim's program has none here. */
	stats_alone = &alone;
	signal(SIGALRM, count_too);
	setitimer(ITIMER_REAL, &often, NULL);
	for (; interruptions < 1000; n++)
		stats_add(0, STATS_COPIES, 1);
	setitimer(ITIMER_REAL, &never, NULL);
	cr_assert_eq(rule(path, 0)->counters[STATS_COPIES],
		     n + (uint64_t)interruptions);
}

/* Fork */

Test(stats, a_forked_child_has_a_file_of_its_own)
{
	const struct stats_file_header *header;
	pid_t child;

	start();
	stats_add(0, STATS_PERSISTED, 5);
	call(0, ALTERNATES);
	child = fork();
	if (child == 0) {
		/* Nobody has told us yet. */
		if (stats_file())
			_exit(1);
		stats_after_fork();
		stats_add(0, STATS_PERSISTED, 2);
		stats_finish();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	header = view(name("stats.%d", child));
	cr_assert_eq(header->pid, child);
	cr_assert_eq(header->ppid, getpid());
	cr_assert_neq(header->ended, 0);
	cr_assert_eq(rule(name("stats.%d", child), 0)
			     ->counters[STATS_PERSISTED], 2);
	cr_assert_eq(rule(name("stats.%d", child), 0)->syncs, 0);
	cr_assert_eq(rule(path, 0)->counters[STATS_PERSISTED], 5);
	cr_assert_eq(view(path)->ended, 0);
	cr_assert_eq(rule(path, 0)->syncs, 1);
}

Test(stats, a_child_made_past_the_handlers_does_not_count)
{
	pid_t child;

	start();
	child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (child == 0) {
		stats_add(0, STATS_PERSISTED, 5);
		call(0, false);
		stats_finish();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	cr_assert_eq(rule(path, 0)->counters[STATS_PERSISTED], 0);
	cr_assert_eq(rule(path, 0)->syncs, 0);
	cr_assert_eq(view(path)->ended, 0);
	cr_assert_eq(files_in(dir), 1);
}

/* The area */

Test(stats, memory_that_the_program_takes_is_not_written_any_more)
{
	uintptr_t at = (uintptr_t)stats_file(), end;
	uint64_t *taken;

	start();
	at = (uintptr_t)stats_file() & ~(uintptr_t)4095;
	end = at + view(path)->file_size;
	cr_assert(stats_lies_in(at, at + 1));
	cr_assert(stats_lies_in(at - 1, at));
	cr_assert(stats_lies_in(end - 1, end + 4096));
	cr_assert_not(stats_lies_in(at - 8192, at - 4096));
	cr_assert_not(stats_lies_in(end + 4096, end + 8192));
	log_set_level(LOG_ERROR);
	stats_forget(at, at + 4096);
	cr_assert_null(stats_file());
	cr_assert_not(stats_lies_in(at, end));
	taken = mmap((void *)at, 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	call(0, ALTERNATES);
	stats_add(0, STATS_PERSISTED, 1);
	stats_finish();
	for (size_t i = 0; i < 512; i++)
		cr_assert_eq(taken[i], 0);
}
