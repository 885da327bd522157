/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The msync contract, row by row, on tmpfs with a recording architecture.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/learn.h"
#include "shim/mapping.h"
#include "shim/real.h"
#include "shim/region.h"
#include "shim/registry.h"
#include "shim/stats.h"
#include "shim/sync.h"
#include "tests/support/t_arch.h"
#include "tests/support/t_shim.h"

#define PAGE	REGISTRY_PAGE
#define LEN	(16 * PAGE)

static int fd;
static char *map;

/* The clock that stamps inodes ticks every 1 to 10 ms. */
static void let_ctime_settle(void)
{
	usleep(25000);
}

/* A mapping whose first call is over and whose pages have all been touched. */
static void start_with(const char *options)
{
	t_shim_start(options);
	fd = t_shim_file("data", LEN);
	map = t_shim_map(fd, LEN);
	for (size_t i = 0; i < LEN; i += PAGE)
		map[i] = 1;
	let_ctime_settle();
	cr_assert_eq(sync_range(map, LEN, MS_SYNC), 0);
	t_shim_kernel_reset();
	t_arch_reset();
}

/* The answer must be the kernel's, by the kernel. */
static void assert_kernel(void *addr, size_t len, int flags,
			  enum stats_counter why)
{
	uint64_t before = t_shim_counted(why);

	t_shim_kernel_reset();
	t_arch_reset();
	errno = EDOM;
	if (sync_range(addr, len, flags) == 0)
		cr_assert_eq(errno, EDOM);
	cr_assert_eq(t_shim_kernel_msyncs(), 1, "not by the kernel");
	cr_assert_eq(t_arch_flushes(), 0);
	cr_assert_eq(t_shim_counted(why), before + 1, "for another reason");
}

/* The same where the kernel's msync is counted elsewhere. */
static void assert_kernel_served(void *addr, size_t len, enum stats_counter why)
{
	uint64_t before = t_shim_counted(why);

	t_arch_reset();
	cr_assert_eq(sync_range(addr, len, MS_SYNC), 0);
	cr_assert_eq(t_arch_flushes(), 0);
	cr_assert_eq(t_shim_counted(why), before + 1, "for another reason");
}

static void assert_persisted(void *addr, size_t len, size_t flushed)
{
	t_shim_kernel_reset();
	t_arch_reset();
	errno = EDOM;
	cr_assert_eq(sync_range(addr, len, MS_SYNC), 0);
	cr_assert_eq(errno, EDOM);
	cr_assert_eq(t_shim_kernel_msyncs(), 0, "by the kernel");
	cr_assert(t_arch_persisted_once(addr, flushed));
}

Test(sync, persists_each_line_of_the_range_once_then_drains)
{
	start_with("");
	assert_persisted(map + PAGE, 3 * PAGE, 3 * PAGE);
}

Test(sync, rounds_the_length_up_to_the_page)
{
	start_with("");
	assert_persisted(map, 24, PAGE);
	assert_persisted(map, PAGE + 1, 2 * PAGE);
}

Test(sync, first_call_on_a_mapping_is_the_kernels)
{
	t_shim_start("");
	fd = t_shim_file("data", LEN);
	map = t_shim_map(fd, LEN);
	assert_kernel(map, LEN, MS_SYNC, STATS_KERNEL_FIRST);
}

Test(sync, first_call_on_a_second_mapping_of_the_file_is_the_kernels)
{
	start_with("");
	assert_kernel(t_shim_map(fd, LEN), PAGE, MS_SYNC, STATS_KERNEL_FIRST);
	assert_persisted(map, PAGE, PAGE);
}

Test(sync, an_asynchronous_call_does_nothing)
{
	start_with("");
	cr_assert_eq(sync_range(map, LEN, MS_ASYNC), 0);
	cr_assert_eq(sync_range(map, LEN, 0), 0);
	cr_assert_eq(t_shim_kernel_msyncs() + t_arch_flushes() +
		     t_arch_drains(), 0);
}

Test(sync, refuses_arguments_as_the_kernel_does)
{
	start_with("");
	cr_assert_eq(sync_range(map + 1, 1, MS_SYNC), -1);
	cr_assert_eq(errno, EINVAL);
	cr_assert_eq(sync_range(map, 1, MS_SYNC | MS_ASYNC), -1);
	cr_assert_eq(errno, EINVAL);
	cr_assert_eq(sync_range(map, 1, 64), -1);
	cr_assert_eq(errno, EINVAL);
	cr_assert_eq(sync_range(map, (size_t)-2 * PAGE, MS_SYNC), -1);
	cr_assert_eq(errno, ENOMEM);
	cr_assert_eq(sync_range(map, 0, MS_SYNC), 0);
	cr_assert_eq(sync_range(map, (size_t)-1, MS_SYNC), 0);
	cr_assert_eq(t_shim_kernel_msyncs() + t_arch_flushes(), 0);
}

Test(sync, a_hole_sends_the_whole_call_to_the_kernel)
{
	start_with("");
	mapping_unmap(map + 4 * PAGE, PAGE);
	assert_kernel(map, LEN, MS_SYNC, STATS_KERNEL_PARTLY);
	cr_assert_eq(sync_range(map, LEN, MS_SYNC), -1);
	cr_assert_eq(errno, ENOMEM);
	assert_persisted(map, 4 * PAGE, 4 * PAGE);
}

Test(sync, invalidate_is_a_persist_until_memory_was_locked)
{
	start_with("");
	t_arch_reset();
	cr_assert_eq(sync_range(map, PAGE, MS_SYNC | MS_INVALIDATE), 0);
	cr_assert_eq(t_shim_kernel_msyncs(), 0);
	cr_assert(t_arch_persisted_once(map, PAGE));
	mapping_note_lock();
	/* AddressSanitizer makes nothing of mlock(2). */
	syscall(SYS_mlock, map, PAGE);
	assert_kernel(map, PAGE, MS_SYNC | MS_INVALIDATE, STATS_KERNEL_LOCKED);
	cr_assert_eq(sync_range(map, PAGE, MS_SYNC | MS_INVALIDATE), -1);
	cr_assert_eq(errno, EBUSY);
}

Test(sync, an_extended_file_is_the_kernels_once)
{
	start_with("");
	ftruncate(fd, LEN + 1);
	assert_kernel(map, PAGE, MS_SYNC, STATS_KERNEL_CHANGED);
	let_ctime_settle();
	sync_range(map, PAGE, MS_SYNC);
	assert_persisted(map, PAGE, PAGE);
}

Test(sync, a_truncated_file_is_never_flushed_behind_its_end)
{
	start_with("");
	ftruncate(fd, PAGE + 5);
	assert_kernel(map, LEN, MS_SYNC, STATS_KERNEL_CHANGED);
	let_ctime_settle();
	sync_range(map, LEN, MS_SYNC);
	assert_persisted(map, LEN, 2 * PAGE);
}

Test(sync, a_filled_hole_is_the_kernels)
{
	t_shim_start("");
	fd = t_shim_file("data", LEN);
	map = t_shim_map(fd, LEN);
	map[0] = 1;
	sync_range(map, PAGE, MS_SYNC);
	pwrite(fd, "x", 1, 5 * PAGE);
	assert_kernel(map, PAGE, MS_SYNC, STATS_KERNEL_CHANGED);
}

/* Size and block count do not move: only ctime tells. */
Test(sync, a_write_into_allocated_space_has_its_metadata_committed)
{
	uint64_t commits;

	start_with("");
	sync_range(map, PAGE, MS_SYNC);
	assert_persisted(map, PAGE, PAGE);
	commits = t_shim_counted(STATS_KERNEL_COMMIT);
	pwrite(fd, "x", 1, 5 * PAGE);
	assert_persisted(map, PAGE, PAGE);
	cr_assert_eq(t_shim_counted(STATS_KERNEL_COMMIT), commits + 1);
}

/* The kernel does nothing for a mapping that can never be written. */
Test(sync, an_msync_by_a_descriptor_for_reading_counts_for_nothing)
{
	struct mapping_request request = {
		.len = LEN, .prot = PROT_READ, .flags = MAP_SHARED,
	};
	uint64_t commits;
	char path[128];
	char *reader;

	start_with("");
	snprintf(path, sizeof(path), "%s/data", t_shim_dir);
	request.fd = open(path, O_RDONLY);
	reader = mapping_map(&request);
	cr_assert_neq(reader, MAP_FAILED);
	pwrite(fd, "x", 1, 5 * PAGE);
	let_ctime_settle();
	assert_kernel(reader, LEN, MS_SYNC, STATS_KERNEL_ACCESS);
	commits = t_shim_counted(STATS_KERNEL_COMMIT);
	assert_persisted(map, PAGE, PAGE);
	cr_assert_eq(t_shim_counted(STATS_KERNEL_COMMIT), commits + 1);
}

/* A second change in the same tick of the clock leaves ctime as it was. */
Test(sync, a_fresh_ctime_is_not_trusted)
{
	uint64_t commits;

	start_with("");
	for (int i = 0; i < 20; i++) {
		commits = t_shim_counted(STATS_KERNEL_COMMIT);
		pwrite(fd, "x", 1, 5 * PAGE);
		sync_range(map, PAGE, MS_SYNC);
		pwrite(fd, "y", 1, 5 * PAGE);
		sync_range(map, PAGE, MS_SYNC);
		cr_assert_eq(t_shim_counted(STATS_KERNEL_COMMIT), commits + 2);
	}
}

Test(sync, verify_no_looks_only_behind_the_known_end)
{
	start_with("verify=no");
	pwrite(fd, "x", 1, 5 * PAGE);
	assert_persisted(map, PAGE, PAGE);
	cr_assert_eq(t_shim_counted(STATS_KERNEL_COMMIT), 0);
	cr_assert_eq(ftruncate(fd, 2 * PAGE), 0);
	/* Taken at its word: the range was inside the file when last seen. */
	assert_persisted(map, 2 * PAGE, 2 * PAGE);
}

Test(sync, verify_no_finds_out_where_an_extended_file_ends)
{
	t_shim_start("verify=no");
	fd = t_shim_file("data", PAGE);
	map = t_shim_map(fd, LEN);
	sync_range(map, PAGE, MS_SYNC);
	ftruncate(fd, 3 * PAGE);
	assert_kernel(map, LEN, MS_SYNC, STATS_KERNEL_CHANGED);
}

Test(sync, a_map_larger_than_its_file_is_flushed_to_the_files_last_page)
{
	t_shim_start("");
	fd = t_shim_file("data", PAGE + 1);
	map = t_shim_map(fd, LEN);
	map[0] = map[PAGE] = 1;
	let_ctime_settle();
	sync_range(map, LEN, MS_SYNC);
	assert_persisted(map, LEN, 2 * PAGE);
	assert_persisted(map + 2 * PAGE, PAGE, 0);
}

Test(sync, an_offset_is_part_of_where_the_file_ends)
{
	struct mapping_request request = {
		.len = LEN, .prot = PROT_READ | PROT_WRITE,
		.flags = MAP_SHARED, .offset = 2 * PAGE,
	};

	t_shim_start("");
	request.fd = fd = t_shim_file("data", 5 * PAGE);
	map = mapping_map(&request);
	map[0] = map[PAGE] = map[2 * PAGE] = 1;
	let_ctime_settle();
	sync_range(map, LEN, MS_SYNC);
	assert_persisted(map, LEN, 3 * PAGE);
}

Test(sync, a_range_without_access_is_the_kernels)
{
	start_with("");
	mapping_protect(map + PAGE, PAGE, PROT_NONE);
	assert_kernel(map, LEN, MS_SYNC, STATS_KERNEL_ACCESS);
	assert_persisted(map, PAGE, PAGE);
	mapping_protect(map + PAGE, PAGE, PROT_READ | PROT_WRITE);
	assert_persisted(map, LEN, LEN);
}

Test(sync, a_read_only_range_is_the_kernels)
{
	start_with("");
	mapping_protect(map, LEN, PROT_READ);
	assert_kernel(map, LEN, MS_SYNC, STATS_KERNEL_ACCESS);
}

Test(sync, a_large_range_is_the_kernels)
{
	start_with("kernel_above=8K");
	assert_kernel(map, 3 * PAGE, MS_SYNC, STATS_KERNEL_LARGE);
	assert_persisted(map, 2 * PAGE, 2 * PAGE);
}

Test(sync, the_default_for_large_is_4_MiB)
{
	const size_t large = (4 << 20) + PAGE;
	char *wide;

	start_with("");
	wide = t_shim_map(t_shim_file("wide", large), large);
	sync_range(wide, large, MS_SYNC);
	assert_kernel(wide, large, MS_SYNC, STATS_KERNEL_LARGE);
	t_arch_reset();
	cr_assert_eq(sync_range(wide, large - PAGE, MS_SYNC), 0);
	cr_assert_eq(t_arch_flushes(), (large - PAGE) / ARCH_LINE);
}

Test(sync, refresh_sends_one_call_per_interval_to_the_kernel)
{
	start_with("refresh=100ms");
	assert_persisted(map, PAGE, PAGE);
	usleep(120000);
	/* Its lines may have been flushed by the time the clock is read. */
	t_shim_kernel_reset();
	cr_assert_eq(sync_range(map, PAGE, MS_SYNC), 0);
	cr_assert_eq(t_shim_kernel_msyncs(), 1, "not by the kernel");
	cr_assert_eq(t_shim_counted(STATS_KERNEL_REFRESH), 1);
	cr_assert_eq(stats_file()->syncs, 3);
	let_ctime_settle();
	assert_persisted(map, PAGE, PAGE);
}

Test(sync, refresh_0_is_never)
{
	start_with("refresh=0");
	usleep(1200000);
	assert_persisted(map, PAGE, PAGE);
}

Test(sync, mode_kernel_is_the_kernels)
{
	start_with("mode=kernel");
	assert_kernel(map, PAGE, MS_SYNC, STATS_KERNEL_MODE);
}

/* The runner's own descriptors are low, the shim's are high. */
enum { HIGH_DESCRIPTORS = 256 };

Test(sync, a_closed_descriptor_leaves_the_file_to_the_kernel)
{
	start_with("");
	close_range(HIGH_DESCRIPTORS, ~0u, 0);
	assert_kernel(map, PAGE, MS_SYNC, STATS_KERNEL_LOST);
}

Test(sync, a_new_mapping_brings_a_closed_descriptor_back)
{
	start_with("");
	close_range(HIGH_DESCRIPTORS, ~0u, 0);
	mapping_unmap(t_shim_map(fd, LEN), LEN);
	assert_persisted(map, PAGE, PAGE);
}

Test(sync, another_file_under_the_descriptors_number_is_not_believed)
{
	int replaced = 0;

	start_with("");
	for (int i = HIGH_DESCRIPTORS; i < 4096; i++)
		if (fcntl(i, F_GETFD) >= 0)
			replaced += dup2(0, i) == i;
	cr_assert_eq(replaced, 1);
	assert_kernel(map, PAGE, MS_SYNC, STATS_KERNEL_LOST);
}

/* Of the same shape, so that only its number tells it from the watched one. */
Test(sync, a_twin_under_the_descriptors_number_is_not_believed)
{
	int twin, replaced = 0;

	start_with("");
	twin = t_shim_file("twin", LEN);
	for (off_t at = 0; at < (off_t)LEN; at += (off_t)PAGE)
		cr_assert_eq(pwrite(twin, "x", 1, at), 1);
	for (int i = HIGH_DESCRIPTORS; i < 4096; i++)
		if (i != twin && fcntl(i, F_GETFD) >= 0)
			replaced += dup2(twin, i) == i;
	cr_assert_eq(replaced, 1);
	assert_kernel(map, PAGE, MS_SYNC, STATS_KERNEL_LOST);
}

static int extending_msync(void *addr, size_t len, int flags)
{
	int result = msync(addr, len, flags);

	ftruncate(fd, LEN + PAGE);
	return result;
}

/* What changes while the kernel syncs may or may not be part of that. */
Test(sync, a_file_that_changes_during_the_kernels_call_is_the_kernels_again)
{
	int (*const counted_msync)(void *, size_t, int) = real.msync;

	start_with("");
	ftruncate(fd, LEN + 2 * PAGE);
	real.msync = extending_msync;
	cr_assert_eq(sync_range(map, LEN, MS_SYNC), 0);
	real.msync = counted_msync;
	ftruncate(fd, LEN + PAGE);
	sync_range(map, LEN, MS_SYNC);
	cr_assert_eq(t_shim_counted(STATS_KERNEL_CHANGED), 2);
}

static int failing_msync(void *addr, size_t len, int flags)
{
	(void)addr, (void)len, (void)flags;
	errno = EIO;
	return -1;
}

Test(sync, a_call_that_the_kernel_failed_is_the_kernels_again)
{
	int (*counted_msync)(void *, size_t, int);

	start_with("");
	counted_msync = real.msync;
	ftruncate(fd, LEN + PAGE);
	real.msync = failing_msync;
	cr_assert_eq(sync_range(map, LEN, MS_SYNC), -1);
	cr_assert_eq(errno, EIO);
	real.msync = counted_msync;
	assert_kernel(map, LEN, MS_SYNC, STATS_KERNEL_CHANGED);
}

static int overtaking_clock(clockid_t clock, struct timespec *now)
{
	struct registry_guard guard;

	/* Between the look at the registry and the flush. */
	registry_lock(&guard);
	registry_withdraw();
	registry_unlock(&guard);
	return clock_gettime(clock, now);
}

Test(sync, a_persist_that_was_overtaken_is_the_kernels)
{
	start_with("");
	real_clock = overtaking_clock;
	assert_kernel(map, PAGE, MS_SYNC, STATS_KERNEL_OVERTAKEN);
}

/* As a reader sees it that was overtaken by the last munmap. */
Test(sync, a_region_that_is_gone_is_the_kernels)
{
	struct registry_guard guard;

	start_with("");
	/* The file's record stays. */
	t_shim_map(fd, LEN);
	registry_lock(&guard);
	region_remove_pages(registry_find((uintptr_t)map), LEN / PAGE);
	registry_unlock(&guard);
	t_shim_kernel_reset();
	cr_assert_eq(sync_range(map, PAGE, MS_SYNC), 0);
	cr_assert_eq(t_shim_kernel_msyncs(), 1);
	cr_assert_eq(t_shim_counted(STATS_PERSISTED), 0);
}

Test(sync, a_range_over_two_mappings_is_persisted_with_one_drain)
{
	struct mapping_request second = {
		.len = PAGE, .prot = PROT_READ | PROT_WRITE,
		.flags = MAP_SHARED | MAP_FIXED,
	};

	start_with("");
	second.addr = map + PAGE;
	second.fd = t_shim_file("second", PAGE);
	cr_assert_eq(mapping_map(&second), second.addr);
	map[PAGE] = 1;
	let_ctime_settle();
	assert_kernel(map, 3 * PAGE, MS_SYNC, STATS_KERNEL_FIRST);
	assert_persisted(map, 3 * PAGE, 3 * PAGE);
}

Test(sync, more_pieces_than_a_call_holds_are_the_kernels)
{
	start_with("");
	for (size_t i = 0; i < 16; i += 2)
		mapping_protect(map + i * PAGE, PAGE, PROT_READ);
	assert_kernel(map, LEN, MS_SYNC, STATS_KERNEL_PARTLY);
}

static void *sync_when_cancelled(void *arg)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	sync_range(arg, PAGE, MS_SYNC);
	return NULL;
}

Test(sync, is_a_cancellation_point)
{
	pthread_t thread;
	void *result;

	start_with("");
	pthread_create(&thread, NULL, sync_when_cancelled, map);
	pthread_join(thread, &result);
	cr_assert_eq(result, PTHREAD_CANCELED);
	cr_assert_eq(t_arch_flushes(), 0);
}

/* mode=auto, by a clock that runs by what is flushed and what the kernel does */

static uint64_t ns_each_line, ns_each_msync;
static size_t msyncs;

static uint64_t clock_of_costs(void)
{
	return 1 + t_arch_flushes() * ns_each_line + msyncs * ns_each_msync;
}

static uint64_t no_faults(void)
{
	return 0;
}

static int timed_msync(void *addr, size_t len, int flags)
{
	msyncs++;
	return msync(addr, len, flags);
}

static void start_auto(uint64_t each_line, uint64_t each_msync)
{
	static const struct learn_sources costs = { clock_of_costs, no_faults };

	t_shim_start("mode=auto,refresh=0");
	ns_each_line = each_line;
	ns_each_msync = each_msync;
	learn_init(&costs, stats_believe);
	real.msync = timed_msync;
	fd = t_shim_file("data", LEN);
	map = t_shim_map(fd, LEN);
	memset(map, 1, LEN);
	let_ctime_settle();
}

static void sync_often(size_t len, int n)
{
	for (int i = 0; i < n; i++)
		cr_assert_eq(sync_range(map, len, MS_SYNC), 0);
}

static const struct stats_file_belief *belief_in(size_t len)
{
	/* tmpfs puts it anywhere. */
	const struct stats_file_belief *pair =
		&stats_file()[0].beliefs[learn_cell_number(len, false)];

	return pair[0].samples[STATS_ARM_KERNEL] ? &pair[0] : &pair[1];
}

Test(sync, auto_ends_in_user_space_where_that_is_cheaper)
{
	start_auto(3, 5000);
	sync_often(PAGE, 100);
	msyncs = 0;
	sync_often(PAGE, 50);
	cr_assert_eq(msyncs, 0);
	cr_assert_eq(belief_in(PAGE)->chosen, STATS_ARM_USER);
	cr_assert_eq(belief_in(PAGE)->sync_ns[STATS_ARM_USER], 3 * 64);
	cr_assert_eq(belief_in(PAGE)->sync_ns[STATS_ARM_KERNEL], 5000);
	cr_assert_gt(t_shim_counted(STATS_KERNEL_CHEAPER), 0);
}

Test(sync, auto_ends_in_the_kernel_where_that_is_cheaper)
{
	uint64_t before;

	start_auto(100, 800);
	sync_often(PAGE, 100);
	before = t_shim_counted(STATS_PERSISTED);
	sync_often(PAGE, 20);
	cr_assert_eq(t_shim_counted(STATS_PERSISTED), before);
	cr_assert_eq(belief_in(PAGE)->chosen, STATS_ARM_KERNEL);
}

Test(sync, auto_learns_each_size_by_itself)
{
	start_auto(20, 6000);
	for (int i = 0; i < 100; i++) {
		sync_often(PAGE, 1);
		sync_often(LEN, 1);
	}
	cr_assert_eq(belief_in(PAGE)->chosen, STATS_ARM_USER);
	cr_assert_eq(belief_in(LEN)->chosen, STATS_ARM_KERNEL);
}

/* The kernel's turn is no excuse: what it must have, it has. */
Test(sync, auto_keeps_the_rows_of_the_contract)
{
	start_auto(3, 5000);
	sync_often(PAGE, 100);
	ftruncate(fd, LEN + 1);
	assert_kernel_served(map, PAGE, STATS_KERNEL_CHANGED);
	mapping_unmap(map + 4 * PAGE, PAGE);
	cr_assert_eq(sync_range(map, LEN, MS_SYNC), -1);
	cr_assert_eq(errno, ENOMEM);
	cr_assert_eq(sync_range(map + 1, PAGE, MS_SYNC), -1);
	cr_assert_eq(errno, EINVAL);
	t_arch_reset();
	cr_assert_eq(sync_range(map, PAGE, MS_ASYNC), 0);
	cr_assert_eq(t_arch_flushes(), 0);
}

/* Metadata that the program moves by itself is committed, and timed. */
Test(sync, auto_commits_what_write_has_changed)
{
	uint64_t commits;

	start_auto(3, 5000);
	sync_often(PAGE, 200);
	commits = t_shim_counted(STATS_KERNEL_COMMIT);
	for (int i = 0; i < 500; i++) {
		pwrite(fd, "x", 1, 5 * PAGE);
		sync_often(PAGE, 1);
	}
	commits = t_shim_counted(STATS_KERNEL_COMMIT) - commits;
	cr_assert_gt(commits, 0);
	cr_assert_gt(commits + t_shim_counted(STATS_KERNEL_CHEAPER), 400);
}

/* After many syncs of which nobody remembered what the file looked like. */
Test(sync, auto_goes_back_to_user_space_by_way_of_the_kernel)
{
	uint64_t size;

	start_auto(100, 800);
	sync_often(PAGE, 100);
	ftruncate(fd, PAGE + 5);
	let_ctime_settle();
	ns_each_line = 1;
	ns_each_msync = 50000;
	sync_often(LEN, 100);
	t_arch_reset();
	sync_often(LEN, 1);
	size = 2 * PAGE;
	cr_assert(t_arch_persisted_once(map, size), "flushed behind the end");
}

/* Statistics by arm */

static const struct stats_file_arm *arms(void)
{
	return stats_file()[0].arms;
}

Test(sync, a_synchronous_call_counts_for_its_arm_whoever_serves_it)
{
	t_shim_start("");
	fd = t_shim_file("data", LEN);
	map = t_shim_map(fd, LEN);
	sync_range(map, LEN, MS_SYNC);		/* the kernel's: the first */
	let_ctime_settle();
	sync_range(map, LEN, MS_SYNC);
	sync_range(map, 100, MS_SYNC);
	cr_assert_eq(stats_file()->syncs, 3);
	cr_assert_eq(arms()[STATS_ARM_USER].calls, 3);
	cr_assert_eq(arms()[STATS_ARM_USER].bytes, 2 * LEN + PAGE);
	cr_assert_eq(arms()[STATS_ARM_KERNEL].calls, 0);
	cr_assert_eq(t_shim_counted(STATS_KERNEL_FIRST), 1);
}

Test(sync, other_calls_count_for_no_arm)
{
	start_with("");
	mapping_unmap(map + 4 * PAGE, PAGE);
	sync_range(map, LEN, MS_SYNC);
	sync_range(map, PAGE, MS_ASYNC);
	sync_range(map, PAGE, 0);
	sync_range(map, 0, MS_SYNC);
	sync_range(map + 1, PAGE, MS_SYNC);
	cr_assert_eq(stats_file()->syncs, 1);
	cr_assert_eq(arms()[0].calls + arms()[1].calls, 1);
}

Test(sync, in_mode_kernel_a_call_counts_for_the_kernels_arm)
{
	start_with("mode=kernel");
	sync_range(map, LEN, MS_SYNC);
	cr_assert_eq(arms()[STATS_ARM_KERNEL].calls, 2);
	cr_assert_eq(arms()[STATS_ARM_USER].calls, 0);
}

/* The arm of the next call with block=1. */
static enum stats_arm next_arm(void)
{
	const struct stats_file_rule *rule = stats_file();
	const struct stats_file_header *header =
		(const struct stats_file_header *)rule - 1;

	return stats_assign(header->seed, 0, rule->syncs);
}

Test(sync, in_mode_ab_blocks_are_served_in_turns)
{
	size_t served[STATS_ARMS] = { 0 };

	start_with("mode=ab,block=1");
	for (int i = 0; i < 100; i++) {
		enum stats_arm arm = next_arm();
		uint64_t before = arms()[arm].calls;

		if (arm == STATS_ARM_USER)
			assert_persisted(map, PAGE, PAGE);
		else
			assert_kernel(map, PAGE, MS_SYNC, STATS_KERNEL_ARM);
		cr_assert_eq(arms()[arm].calls, before + 1);
		served[arm]++;
	}
	cr_assert(served[0] >= 49 && served[0] <= 51);
}

Test(sync, in_mode_ab_the_rows_of_the_contract_hold_for_the_users_arm)
{
	size_t user = 0;

	start_with("mode=ab,block=1");
	for (int i = 0; i < 20; i++) {
		enum stats_arm arm = next_arm();

		cr_assert_eq(ftruncate(fd, LEN + i + 1), 0);
		user += arm == STATS_ARM_USER;
		assert_kernel(map, PAGE, MS_SYNC, arm == STATS_ARM_USER
			      ? STATS_KERNEL_CHANGED : STATS_KERNEL_ARM);
		cr_assert_eq(arms()[0].calls + arms()[1].calls,
			     (uint64_t)i + 2);
	}
	cr_assert(user >= 9 && user <= 11);
	cr_assert_geq(arms()[STATS_ARM_USER].calls, user);
}

Test(sync, after_the_kernels_turn_the_file_is_known_to_be_synced)
{
	int pairs = 0;

	start_with("mode=ab,block=1");
	while (pairs < 5) {
		enum stats_arm arm = next_arm();

		if (arm == STATS_ARM_USER) {
			sync_range(map, PAGE, MS_SYNC);
			continue;
		}
		cr_assert_eq(ftruncate(fd, LEN + ++pairs), 0);
		let_ctime_settle();
		assert_kernel(map, PAGE, MS_SYNC, STATS_KERNEL_ARM);
		while (next_arm() == STATS_ARM_KERNEL)
			sync_range(map, PAGE, MS_SYNC);
		assert_persisted(map, PAGE, PAGE);
	}
}

Test(sync, in_mode_ab_copies_are_made_as_in_mode_flush)
{
	start_with("mode=ab");
	cr_assert_not_null(mapping_copy_policy(map, PAGE));
}
