/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dirty=track: which lines a sync flushes, on tmpfs with a recording
 * architecture; skipped where the kernel cannot tell (before 6.7).
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/dirty.h"
#include "shim/mapping.h"
#include "shim/pages.h"
#include "shim/registry.h"
#include "shim/stats.h"
#include "shim/sync.h"
#include "tests/support/t_arch.h"
#include "tests/support/t_shim.h"

#define PAGE	REGISTRY_PAGE
#define PAGES	200
#define LEN	(PAGES * PAGE)
#define LINES	(PAGE / 64)	/* of a page */

static int fd;
static char *map;

/* What a sync of [addr, addr + len) flushes, in pages. */
static size_t flushed(char *addr, size_t len)
{
	t_arch_reset();
	cr_assert_eq(sync_range(addr, len, MS_SYNC), 0);
	cr_assert_eq(t_arch_drains(), 1);
	return t_arch_flushes() / LINES;
}

static void store(char *addr, size_t page)
{
	((volatile char *)addr)[page * PAGE + page % PAGE]++;
}

/* The test's runner may have a thread beside this one. */
static void start_shim(const char *options)
{
	struct stat st;

	cr_assert_eq(stat("/proc/self/task", &st), 0);
	dirty_threads = (unsigned int)st.st_nlink - 2;
	t_shim_start(options);
	fd = t_shim_file("data", LEN);
}

/* A mapping whose pages are all protected. */
static void start_with(const char *options)
{
	start_shim(options);
	map = t_shim_map(fd, LEN);
	if (t_shim_counted(STATS_UNTRACKED_KERNEL))
		cr_skip_test("no PAGEMAP_SCAN with asynchronous write protection");
	cr_assert_eq(t_shim_counted(STATS_TRACKED_MAPPINGS), 1);
	for (size_t i = 0; i < PAGES; i++)
		store(map, i);
	cr_assert_eq(sync_range(map, LEN, MS_SYNC), 0);
	cr_assert_eq(flushed(map, LEN), PAGES);
	t_shim_kernel_reset();
}

/* From here on the whole range, for good; counted once. */
static void assert_stopped(enum stats_counter why)
{
	uint64_t before = t_shim_counted(STATS_WHOLE_UNTRACKED);

	cr_assert_eq(t_shim_counted(why), 1);
	store(map, 1);
	cr_assert_eq(flushed(map, LEN), PAGES);
	cr_assert_eq(flushed(map, LEN), PAGES);
	cr_assert_eq(t_shim_counted(STATS_WHOLE_UNTRACKED), before + 2);
}

static void start(void)
{
	start_with("dirty=track,refresh=0,kernel_above=never");
}

Test(dirty, only_pages_that_were_stored_to_are_flushed)
{
	start();
	cr_assert_eq(flushed(map, LEN), 0);
	store(map, 3);
	store(map, 10);
	store(map, 11);
	cr_assert_eq(flushed(map, LEN), 3);
	cr_assert_eq(flushed(map, LEN), 0);
	store(map, 10);
	cr_assert_eq(flushed(map, LEN), 1);
	cr_assert_eq(t_shim_counted(STATS_TRACKED), 5);
	cr_assert_eq(t_shim_counted(STATS_PERSISTED), 5);
}

Test(dirty, the_lines_are_those_of_the_pages)
{
	start();
	store(map, 7);
	cr_assert_eq(flushed(map, LEN), 1);
	cr_assert(t_arch_persisted_once(map + 7 * PAGE, PAGE));
}

Test(dirty, without_the_key_the_whole_range_is_flushed)
{
	t_shim_start("refresh=0,kernel_above=never");
	fd = t_shim_file("data", LEN);
	map = t_shim_map(fd, LEN);
	cr_assert_eq(sync_range(map, LEN, MS_SYNC), 0);
	cr_assert_eq(flushed(map, LEN), PAGES);
	cr_assert_eq(flushed(map, LEN), PAGES);
	cr_assert_eq(t_shim_counted(STATS_TRACKED_MAPPINGS), 0);
	cr_assert_eq(t_shim_counted(STATS_WHOLE_UNTRACKED), 0);
}

Test(dirty, more_runs_than_one_scan_returns_are_all_flushed)
{
	start();
	for (size_t i = 0; i < PAGES; i += 2)
		store(map, i);
	cr_assert_eq(flushed(map, LEN), PAGES / 2);
	cr_assert_eq(flushed(map, LEN), 0);
}

Test(dirty, a_sync_of_a_part_forgets_nothing_of_the_rest)
{
	start();
	store(map, 3);
	store(map, 40);
	cr_assert_eq(flushed(map, 16 * PAGE), 1);
	cr_assert_eq(flushed(map + 16 * PAGE, LEN - 16 * PAGE), 1);
	cr_assert_eq(flushed(map, LEN), 0);
}

Test(dirty, pages_never_touched_are_flushed_and_then_known)
{
	start_shim("dirty=track,refresh=0,kernel_above=never");
	/* A hole would be filled, and the file changed, by a mere look. */
	for (size_t i = 0; i < PAGES; i++)
		cr_assert_eq(pwrite(fd, "x", 1, (off_t)(i * PAGE)), 1);
	map = t_shim_map(fd, LEN);
	if (t_shim_counted(STATS_UNTRACKED_KERNEL))
		cr_skip_test("no PAGEMAP_SCAN with asynchronous write protection");
	store(map, 5);
	cr_assert_eq(sync_range(map, LEN, MS_SYNC), 0);
	cr_assert_eq(flushed(map, LEN), PAGES);
	cr_assert_eq(flushed(map, LEN), PAGES - 1, "all but the one that was there");
	cr_assert_eq(flushed(map, LEN), 0);
}

Test(dirty, a_range_above_kernel_above_is_persisted_while_it_is_tracked)
{
	start_with("dirty=track,refresh=0,kernel_above=64K");
	store(map, 3);
	cr_assert_eq(flushed(map, LEN), 1);
	mapping_advise(map, LEN, MADV_DONTNEED);
	cr_assert_eq(sync_range(map, LEN, MS_SYNC), 0);
	cr_assert_eq(t_shim_counted(STATS_KERNEL_LARGE), 1);
}

Test(dirty, the_kernels_msync_in_between_forgets_nothing)
{
	start();
	store(map, 3);
	cr_assert_eq(msync(map, LEN, MS_SYNC), 0);
	cr_assert_eq(flushed(map, LEN), 1);
	store(map, 4);
	cr_assert_eq(flushed(map, LEN), 1);
}

Test(dirty, stores_by_the_kernel_are_seen)
{
	int ends[2];

	start();
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], "x", 1), 1);
	cr_assert_eq(read(ends[0], map + 9 * PAGE, 1), 1);
	cr_assert_eq(flushed(map, LEN), 1);
}

Test(dirty, a_second_mapping_ends_it_for_both)
{
	char *second;

	start();
	second = t_shim_map(fd, LEN);
	assert_stopped(STATS_STOPPED_SHARED);
	cr_assert_eq(t_shim_counted(STATS_UNTRACKED_SHARED), 1);
	cr_assert_eq(sync_range(second, LEN, MS_SYNC), 0);
	store(map, 3);
	cr_assert_eq(flushed(second, LEN), PAGES);
}

Test(dirty, a_second_mapping_that_is_not_under_the_rule_ends_it)
{
	struct mapping_request request = {
		.len = PAGE, .prot = PROT_READ, .flags = MAP_SHARED,
	};

	start();
	request.fd = memfd_create("other", 0);
	cr_assert_eq(ftruncate(request.fd, (off_t)LEN), 0);
	cr_assert_neq(mapping_map(&request), MAP_FAILED);
	cr_assert_eq(flushed(map, LEN), 0, "another file changes nothing");
	request.fd = fd;
	t_shim_config.rules[0].mode = CONFIG_MODE_OFF;
	cr_assert_neq(mapping_map(&request), MAP_FAILED);
	t_shim_config.rules[0].mode = CONFIG_MODE_FLUSH;
	assert_stopped(STATS_STOPPED_SHARED);
}

Test(dirty, a_file_that_is_mapped_already_is_not_tracked)
{
	start_shim("dirty=track,refresh=0,kernel_above=never");
	cr_assert_neq(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0),
		      MAP_FAILED);
	map = t_shim_map(fd, LEN);
	cr_assert_eq(t_shim_counted(STATS_UNTRACKED_SHARED) +
		     t_shim_counted(STATS_UNTRACKED_KERNEL), 1);
	cr_assert_eq(sync_range(map, LEN, MS_SYNC), 0);
	cr_assert_eq(flushed(map, LEN), PAGES);
	cr_assert_eq(flushed(map, LEN), PAGES);
}

Test(dirty, a_private_mapping_changes_nothing)
{
	struct mapping_request request = {
		.len = PAGE, .prot = PROT_READ, .flags = MAP_PRIVATE,
	};

	start();
	request.fd = fd;
	cr_assert_neq(mapping_map(&request), MAP_FAILED);
	cr_assert_eq(flushed(map, LEN), 0);
}

Test(dirty, a_new_mapping_of_the_file_alone_is_tracked_again)
{
	start();
	cr_assert_eq(mapping_unmap(map, LEN), 0);
	cr_assert_eq(t_shim_counted(STATS_STOPPED_MOVED), 0);
	map = t_shim_map(fd, LEN);
	cr_assert_eq(t_shim_counted(STATS_TRACKED_MAPPINGS), 2);
	for (size_t i = 0; i < PAGES; i++)
		store(map, i);
	cr_assert_eq(sync_range(map, LEN, MS_SYNC), 0);
	cr_assert_eq(flushed(map, LEN), PAGES);
	store(map, 8);
	cr_assert_eq(flushed(map, LEN), 1);
}

Test(dirty, a_moved_mapping_is_tracked_no_longer)
{
	char *place;

	start();
	place = mmap(NULL, LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	map = mapping_remap(map, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED,
			    place);
	cr_assert_eq(map, place);
	cr_assert_eq(sync_range(map, LEN, MS_SYNC), 0);
	store(map, 3);
	cr_assert_eq(flushed(map, LEN), PAGES);
	cr_assert_eq(flushed(map, LEN), PAGES);
}

Test(dirty, a_mapping_that_lost_pages_is_tracked_no_longer)
{
	start();
	cr_assert_eq(mapping_unmap(map + 100 * PAGE, PAGE), 0);
	cr_assert_eq(t_shim_counted(STATS_STOPPED_MOVED), 1);
	store(map, 3);
	cr_assert_eq(flushed(map, 100 * PAGE), 100);
}

Test(dirty, advice_that_takes_pages_away_ends_it)
{
	start();
	cr_assert_eq(mapping_advise(map, LEN, MADV_WILLNEED), 0);
	cr_assert_eq(mapping_advise(map, LEN, MADV_RANDOM), 0);
	cr_assert_eq(flushed(map, LEN), 0);
	cr_assert_eq(mapping_advise(map, PAGE, MADV_DONTNEED), 0);
	assert_stopped(STATS_STOPPED_MOVED);
}

Test(dirty, a_truncation_ends_it)
{
	start();
	cr_assert_eq(mapping_truncate(fd, (off_t)LEN), 0);
	assert_stopped(STATS_STOPPED_RESIZED);
}

Test(dirty, a_truncation_by_name_ends_it)
{
	char name[64];

	start();
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	cr_assert_eq(mapping_truncate_path(name, (off_t)LEN), 0);
	assert_stopped(STATS_STOPPED_RESIZED);
}

Test(dirty, an_allocation_ends_it)
{
	start();
	cr_assert_eq(mapping_allocate(fd, 0, 0, (off_t)LEN), 0);
	assert_stopped(STATS_STOPPED_RESIZED);
}

Test(dirty, a_posix_allocation_ends_it)
{
	start();
	cr_assert_eq(mapping_allocate_posix(fd, 0, (off_t)LEN), 0);
	assert_stopped(STATS_STOPPED_RESIZED);
}

Test(dirty, a_fork_ends_it_for_what_was_mapped)
{
	start();
	dirty_before_fork();
	assert_stopped(STATS_STOPPED_FORK);
	cr_assert_eq(mapping_unmap(map, LEN), 0);
	map = t_shim_map(fd, LEN);
	cr_assert_eq(t_shim_counted(STATS_TRACKED_MAPPINGS), 1,
		     "not while the fork is under way");
	cr_assert_eq(mapping_unmap(map, LEN), 0);
	dirty_after_fork();
	map = t_shim_map(fd, LEN);
	cr_assert_eq(t_shim_counted(STATS_TRACKED_MAPPINGS), 2);
}

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void *wait_until_free(void *context)
{
	pthread_mutex_lock(&held);
	pthread_mutex_unlock(&held);
	return context;
}

Test(dirty, with_a_second_thread_the_whole_range_is_flushed)
{
	pthread_t thread;
	size_t n = PAGES;

	start();
	pthread_mutex_lock(&held);
	cr_assert_eq(pthread_create(&thread, NULL, wait_until_free, NULL), 0);
	cr_assert_eq(flushed(map, LEN), PAGES);
	cr_assert_eq(t_shim_counted(STATS_WHOLE_THREADS), 1);
	store(map, 3);
	pthread_mutex_unlock(&held);
	pthread_join(thread, NULL);
	/* The kernel may count the thread for a moment yet. */
	for (int i = 0; i < 1000 && n == PAGES; i++)
		n = flushed(map, LEN);
	cr_assert_eq(n, 1);
}

static bool refuse(void *context, uintptr_t addr, uintptr_t end)
{
	(void)context, (void)addr, (void)end;
	return false;
}

static bool accept(void *context, uintptr_t addr, uintptr_t end)
{
	*(size_t *)context += end - addr;
	return true;
}

/* What a handler sees that interrupts a sync, and whoever comes after one
 * that was never finished. */
Test(dirty, between_protecting_and_done_nobody_believes_the_pages)
{
	uintptr_t addr, end;
	struct dirty_sync first = { NULL }, second = { NULL };
	size_t len = 0;

	start();
	addr = (uintptr_t)map, end = addr + LEN;
	store(map, 3);
	cr_assert_eq(dirty_flush(&first, addr, end, refuse, NULL),
		     STATS_KERNEL_OVERTAKEN);
	cr_assert_eq(dirty_judge(addr, end), STATS_WHOLE_BUSY);
	cr_assert_eq(dirty_flush(&second, addr, end, accept, &len),
		     STATS_WHOLE_BUSY);
	cr_assert_eq(len, LEN);
	dirty_done(&second);
	cr_assert_eq(dirty_judge(addr, end), STATS_WHOLE_BUSY);
	cr_assert_eq(flushed(map, LEN), PAGES);
	dirty_done(&first);
	dirty_done(&first);
	cr_assert_eq(dirty_judge(addr, end), STATS_TRACKED);
}

Test(dirty, closed_descriptors_end_it_and_are_not_closed_again)
{
	/* As many as there may be, and none of the shim's lies higher. */
	int high, end = (int)sysconf(_SC_OPEN_MAX);

	end = end < 4096 ? end : 4096;
	start_with("dirty=track,refresh=0,kernel_above=never,verify=no");
	cr_assert_eq(syscall(SYS_close_range, fd + 1, ~0u, 0), 0);
	for (high = fd + 1; high < end; high++)
		cr_assert_eq(dup2(fd, high), high);
	store(map, 3);
	cr_assert_eq(sync_range(map, LEN, MS_SYNC), 0);
	assert_stopped(STATS_STOPPED_FAILED);
	for (high = fd + 1; high < end; high++)
		cr_assert(fcntl(high, F_GETFD) >= 0, "%d was closed", high);
}

#define HUGE	((size_t)2 << 20)

Test(dirty, a_mapping_that_may_be_huge_is_not_tracked)
{
	struct mapping_request request = {
		.len = 4 * HUGE, .prot = PROT_READ | PROT_WRITE,
		.flags = MAP_SHARED | MAP_FIXED,
	};
	uintptr_t place;

	t_shim_start("dirty=track,refresh=0,kernel_above=never");
	request.fd = t_shim_file("data", (off_t)request.len);
	place = (uintptr_t)mmap(NULL, request.len + 2 * HUGE, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	request.addr = (void *)((place + HUGE - 1) & ~(HUGE - 1));
	cr_assert_eq(mapping_map(&request), request.addr);
	cr_assert_eq(t_shim_counted(STATS_UNTRACKED_HUGE), 1);
}
