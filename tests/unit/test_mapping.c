/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is tracked, and how the registry follows what becomes of it. On tmpfs,
 * with the kernel as it is.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/file.h"
#include "shim/mapping.h"
#include "shim/real.h"
#include "shim/region.h"
#include "shim/registry.h"
#include "shim/stats.h"
#include "shim/sync.h"
#include "tests/support/t_shim.h"

#define PAGE	REGISTRY_PAGE
#define NPAGES	8
#define LEN	(NPAGES * PAGE)

static int fd;
static char *map;

static void start_with(const char *options)
{
	t_shim_start(options);
	fd = t_shim_file("data", LEN);
	map = t_shim_map(fd, LEN);
}

/* The mapping, with other memory right behind it. */
static void start_walled(void)
{
	struct mapping_request request = {
		.len = LEN, .prot = PROT_READ | PROT_WRITE,
		.flags = MAP_SHARED | MAP_FIXED,
	};

	t_shim_start("");
	request.fd = fd = t_shim_file("data", LEN);
	request.addr = mmap(NULL, 2 * LEN, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	map = mapping_map(&request);
	cr_assert_eq(map, request.addr);
}

/* Which pages of the range are tracked: "##.#" and so on. */
static const char *tracked(const void *addr, size_t pages)
{
	static char text[64];

	for (size_t i = 0; i < pages; i++)
		text[i] = registry_find((uintptr_t)addr + i * PAGE) ? '#' : '.';
	text[pages] = '\0';
	return text;
}

static uint64_t file_offset(const void *addr)
{
	struct region_view view;

	cr_assert(region_read(registry_find((uintptr_t)addr), &view));
	return (uintptr_t)addr + view.delta;
}

static size_t open_descriptors(void)
{
	size_t n = 0;

	for (int i = 0; i < 4096; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

Test(mapping, a_shared_file_mapping_under_a_rule_is_tracked)
{
	start_with("");
	cr_assert_str_eq(tracked(map - PAGE, NPAGES + 2), ".########.");
	cr_assert_eq(file_offset(map + 5), 5);
}

Test(mapping, private_anonymous_and_other_files_are_not)
{
	struct mapping_request request = {
		.len = PAGE, .prot = PROT_READ | PROT_WRITE,
	};

	start_with("");
	mapping_unmap(map, LEN);
	request.fd = fd;
	request.flags = MAP_PRIVATE;
	mapping_map(&request);
	request.fd = -1;
	request.flags = MAP_SHARED | MAP_ANONYMOUS;
	mapping_map(&request);
	request.fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	ftruncate(request.fd, PAGE);
	request.flags = MAP_SHARED;
	cr_assert_neq(mapping_map(&request), MAP_FAILED);
	cr_assert_eq(registry_pages(), 0);
}

Test(mapping, a_deleted_file_is_tracked)
{
	char path[128];

	t_shim_start("");
	fd = t_shim_file("gone", LEN);
	snprintf(path, sizeof(path), "%s/gone", t_shim_dir);
	unlink(path);
	map = t_shim_map(fd, LEN);
	cr_assert_str_eq(tracked(map, NPAGES), "########");
}

Test(mapping, mode_off_tracks_nothing)
{
	t_shim_start("mode=off");
	fd = t_shim_file("data", LEN);
	t_shim_map(fd, LEN);
	cr_assert_eq(registry_pages(), 0);
}

Test(mapping, errno_survives_a_tracked_mapping)
{
	t_shim_start("");
	fd = t_shim_file("data", LEN);
	errno = EDOM;
	map = t_shim_map(fd, LEN);
	cr_assert_eq(errno, EDOM);
	mapping_unmap(map, LEN);
	cr_assert_eq(errno, EDOM);
}

Test(mapping, a_failing_mmap_fails_as_the_kernels)
{
	struct mapping_request request = {
		.len = LEN, .prot = PROT_WRITE, .flags = MAP_SHARED,
	};
	char path[128];

	t_shim_start("");
	t_shim_file("data", LEN);
	snprintf(path, sizeof(path), "%s/data", t_shim_dir);
	request.fd = open(path, O_RDONLY);
	cr_assert_eq(mapping_map(&request), MAP_FAILED);
	cr_assert_eq(errno, EACCES);
	request.fd = 4000;
	cr_assert_eq(mapping_map(&request), MAP_FAILED);
	cr_assert_eq(errno, EBADF);
	cr_assert_eq(registry_pages(), 0);
}

Test(mapping, munmap_of_the_middle_splits)
{
	start_with("");
	mapping_unmap(map + 2 * PAGE, 2 * PAGE);
	cr_assert_str_eq(tracked(map, NPAGES), "##..####");
	cr_assert_eq(file_offset(map + 4 * PAGE), 4 * PAGE);
}

Test(mapping, munmap_rounds_its_length_up)
{
	start_with("");
	mapping_unmap(map, PAGE + 1);
	cr_assert_str_eq(tracked(map, NPAGES), "..######");
}

Test(mapping, a_refused_munmap_changes_nothing)
{
	start_with("");
	cr_assert_eq(mapping_unmap(map + 1, PAGE), -1);
	cr_assert_eq(errno, EINVAL);
	cr_assert_eq(mapping_unmap(map, 0), -1);
	cr_assert_str_eq(tracked(map, NPAGES), "########");
}

Test(mapping, the_last_munmap_gives_the_descriptor_back)
{
	size_t before;
	char *other;

	t_shim_start("");
	fd = t_shim_file("data", LEN);
	before = open_descriptors();
	map = t_shim_map(fd, LEN);
	other = t_shim_map(fd, PAGE);
	cr_assert_eq(open_descriptors(), before + 1);
	mapping_unmap(map, LEN);
	cr_assert_eq(open_descriptors(), before + 1);
	mapping_unmap(other, PAGE);
	cr_assert_eq(open_descriptors(), before);
	cr_assert_eq(mapping_copy_min, SIZE_MAX);
}

Test(mapping, anonymous_memory_over_a_page_takes_it_out)
{
	const struct mapping_request over = {
		.addr = (start_with(""), map + PAGE), .len = PAGE,
		.prot = PROT_READ, .fd = -1,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	};

	cr_assert_eq(mapping_map(&over), over.addr);
	cr_assert_str_eq(tracked(map, NPAGES), "#.######");
}

Test(mapping, another_file_over_a_page_replaces_it)
{
	struct mapping_request over = {
		.len = PAGE, .prot = PROT_READ | PROT_WRITE,
		.flags = MAP_SHARED | MAP_FIXED,
	};

	start_with("");
	over.addr = map + 3 * PAGE;
	over.fd = t_shim_file("other", PAGE);
	cr_assert_eq(mapping_map(&over), over.addr);
	cr_assert_str_eq(tracked(map, NPAGES), "########");
	cr_assert_eq(file_offset(map + 3 * PAGE), 0);
	cr_assert_eq(file_offset(map + 4 * PAGE), 4 * PAGE);
}

Test(mapping, what_was_unmapped_behind_our_back_is_forgotten)
{
	struct mapping_request request = {
		.len = LEN, .prot = PROT_READ, .fd = -1,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS,
	};

	start_with("");
	syscall(SYS_munmap, map, LEN);
	request.addr = map;
	cr_assert_eq(mapping_map(&request), map);
	cr_assert_eq(registry_pages(), 0);
}

Test(mapping, fixed_noreplace_is_tracked_or_refused_as_bare)
{
	struct mapping_request request = {
		.len = LEN, .prot = PROT_READ | PROT_WRITE,
		.flags = MAP_SHARED | MAP_FIXED_NOREPLACE,
	};

	start_with("");
	request.addr = map;
	request.fd = fd;
	cr_assert_eq(mapping_map(&request), MAP_FAILED);
	cr_assert_eq(errno, EEXIST);
	mapping_unmap(map, LEN);
	cr_assert_eq(mapping_map(&request), map);
	cr_assert_str_eq(tracked(map, NPAGES), "########");
}

Test(mapping, mremap_that_shrinks_takes_the_tail_out)
{
	start_with("");
	cr_assert_eq(mapping_remap(map, LEN, 3 * PAGE, 0, NULL), map);
	cr_assert_str_eq(tracked(map, NPAGES), "###.....");
}

Test(mapping, mremap_that_moves_takes_the_mapping_along)
{
	char *moved;

	start_walled();
	moved = mapping_remap(map, LEN, 2 * LEN, MREMAP_MAYMOVE, NULL);
	cr_assert_neq(moved, MAP_FAILED);
	cr_assert_neq(moved, map);
	cr_assert_str_eq(tracked(map, NPAGES), "........");
	cr_assert_str_eq(tracked(moved, 2 * NPAGES), "################");
	cr_assert_eq(file_offset(moved + 5 * PAGE), 5 * PAGE);
}

Test(mapping, mremap_that_cannot_grow_keeps_the_mapping)
{

	start_walled();
	cr_assert_eq(mapping_remap(map, LEN, 2 * LEN, 0, NULL), MAP_FAILED);
	cr_assert_eq(errno, ENOMEM);
	cr_assert_str_eq(tracked(map, NPAGES + 1), "########.");
}

Test(mapping, mremap_fixed_over_a_tracked_mapping_replaces_it)
{
	char *other;

	start_with("");
	other = t_shim_map(t_shim_file("other", LEN), LEN);
	cr_assert_eq(mapping_remap(map + 2 * PAGE, PAGE, PAGE,
				   MREMAP_MAYMOVE | MREMAP_FIXED,
				   other + 4 * PAGE), other + 4 * PAGE);
	cr_assert_str_eq(tracked(map, NPAGES), "##.#####");
	cr_assert_eq(file_offset(other + 4 * PAGE), 2 * PAGE);
	cr_assert_eq(file_offset(other + 5 * PAGE), 5 * PAGE);
}

Test(mapping, mremap_of_length_0_makes_a_second_mapping)
{
	char *twin;

	start_with("");
	twin = mapping_remap(map, 0, LEN, MREMAP_MAYMOVE, NULL);
	cr_assert_neq(twin, MAP_FAILED);
	cr_assert_str_eq(tracked(map, NPAGES), "########");
	cr_assert_str_eq(tracked(twin, NPAGES), "########");
	cr_assert_eq(file_offset(twin + PAGE), PAGE);
}

Test(mapping, mremap_onto_tracked_pages_from_elsewhere_takes_them_out)
{
	struct mapping_request request = {
		.len = PAGE, .prot = PROT_READ, .fd = -1,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS,
	};

	start_with("");
	cr_assert_eq(mapping_remap(mapping_map(&request), PAGE, PAGE,
				   MREMAP_MAYMOVE | MREMAP_FIXED, map), map);
	cr_assert_str_eq(tracked(map, NPAGES), ".#######");
}

static unsigned int attributes_at(const void *addr)
{
	return region_attributes(registry_find((uintptr_t)addr));
}

Test(mapping, mprotect_is_followed_page_by_page)
{
	start_with("");
	cr_assert_eq(mapping_protect(map + PAGE, PAGE, PROT_NONE), 0);
	cr_assert_eq(mapping_protect(map + 2 * PAGE, PAGE, PROT_READ), 0);
	cr_assert_eq(attributes_at(map),
		     REGION_READABLE | REGION_WRITABLE);
	cr_assert_eq(attributes_at(map + PAGE), 0);
	cr_assert_eq(attributes_at(map + 2 * PAGE), REGION_READABLE);
	cr_assert_eq(attributes_at(map + 3 * PAGE),
		     REGION_READABLE | REGION_WRITABLE);
	cr_assert_eq(mapping_protect(map, LEN, PROT_READ | PROT_WRITE), 0);
	cr_assert_eq(attributes_at(map + PAGE),
		     REGION_READABLE | REGION_WRITABLE);
}

Test(mapping, a_failing_mprotect_leaves_at_most_what_both_allow)
{
	start_with("");
	mapping_protect(map + PAGE, PAGE, PROT_READ);
	syscall(SYS_munmap, map + 2 * PAGE, PAGE);
	cr_assert_eq(mapping_protect(map, LEN, PROT_READ | PROT_WRITE), -1);
	cr_assert_eq(errno, ENOMEM);
	cr_assert_eq(attributes_at(map + PAGE), REGION_READABLE);
}

Test(mapping, pages_with_a_protection_key_are_the_kernels)
{
	start_with("");
	mapping_protect_key(map, PAGE, PROT_READ | PROT_WRITE, -1);
	cr_assert_str_eq(tracked(map, NPAGES), ".#######");
}

Test(mapping, a_child_does_not_have_what_was_not_inherited)
{
	int status;
	pid_t child;

	start_with("");
	mapping_advise(map, 2 * PAGE, MADV_DONTFORK);
	mapping_advise(map + PAGE, PAGE, MADV_DOFORK);
	child = fork();
	if (child == 0) {
		mapping_after_fork();
		_exit(strcmp(tracked(map, NPAGES), ".#######") == 0 &&
		      mapping_is_usable() ? 0 : 1);
	}
	waitpid(child, &status, 0);
	cr_assert_eq(status, 0);
	cr_assert_str_eq(tracked(map, NPAGES), "########");
}

Test(mapping, a_child_forked_past_the_handlers_is_left_to_the_kernel)
{
	int status;
	pid_t child;

	start_with("");
	child = fork();		/* this program has no handlers */
	if (child == 0)
		_exit(mapping_is_usable() ? 1 : 0);
	waitpid(child, &status, 0);
	cr_assert_eq(status, 0);
	cr_assert(mapping_is_usable());
}

/* Forks once, as if another thread had at this moment. */
static uint64_t fork_inside(void *context, uint64_t value, size_t pages,
			    bool lost)
{
	(void)pages, (void)lost;
	if (*(pid_t *)context < 0) {
		*(pid_t *)context = fork();
		if (*(pid_t *)context == 0) {
			mapping_after_fork();
			_exit(mapping_is_usable() ? 1 : 0);
		}
	}
	return value;
}

Test(mapping, a_child_forked_in_the_middle_of_a_change_is_left_to_the_kernel)
{
	struct registry_guard guard;
	pid_t child = -1;
	int status;

	start_with("");
	registry_lock(&guard);
	registry_update((uintptr_t)map, (uintptr_t)map + LEN, fork_inside,
			&child);
	registry_unlock(&guard);
	waitpid(child, &status, 0);
	cr_assert_eq(status, 0);
}

Test(mapping, a_child_forked_while_the_lock_is_held_goes_on)
{
	struct registry_guard guard;
	int status;
	pid_t child;

	start_with("");
	registry_lock(&guard);
	child = fork();
	if (child == 0) {
		mapping_after_fork();
		mapping_unmap(map, PAGE);
		_exit(mapping_is_usable() &&
		      strcmp(tracked(map, NPAGES), ".#######") == 0 ? 0 : 1);
	}
	registry_unlock(&guard);
	waitpid(child, &status, 0);
	cr_assert_eq(status, 0);
}

Test(mapping, a_child_whose_changes_were_missed_is_left_to_the_kernel)
{
	int status;
	pid_t child;

	start_with("");
	child = fork();
	if (child == 0) {
		mapping_unmap(map, PAGE);
		mapping_after_fork();
		_exit(mapping_is_usable() ? 1 : 0);
	}
	waitpid(child, &status, 0);
	cr_assert_eq(status, 0);
}

Test(mapping, remapped_file_pages_are_the_kernels)
{
	start_with("");
	cr_assert_eq(mapping_remap_pages(map, PAGE, 0, 2, 0), 0);
	cr_assert_eq(registry_find((uintptr_t)map), 0);
	cr_assert_neq(registry_find((uintptr_t)map + PAGE), 0);
}

/* What a thread that looks at the file during a call is told. */
static enum file_verdict during;
static uint64_t epoch_before, epoch_during;

static enum file_verdict verdict(void)
{
	struct region_view view;
	struct file_look look;

	cr_assert(region_read(registry_find((uintptr_t)map), &view));
	file_look(view.file, &look);
	return look.verdict;
}

static int look_on(void)
{
	during = verdict();
	epoch_during = registry_epoch;
	errno = ENOSPC;
	return -1;
}

static int fake_ftruncate(int the_fd, off_t len)
{
	(void)the_fd, (void)len;
	return look_on();
}

static int fake_truncate(const char *path, off_t len)
{
	(void)path, (void)len;
	return look_on();
}

static int fake_fallocate(int the_fd, int mode, off_t offset, off_t len)
{
	(void)the_fd, (void)mode, (void)offset, (void)len;
	return look_on();
}

static void start_settled(void)
{
	struct region_view view;
	struct file_look look;

	start_with("");
	cr_assert(region_read(registry_find((uintptr_t)map), &view));
	usleep(50000);
	file_look(view.file, &look);
	file_synced(view.file, &look);
	cr_assert_eq(verdict(), FILE_SAME);
	real.ftruncate = fake_ftruncate;
	real.truncate = fake_truncate;
	real.fallocate = fake_fallocate;
	epoch_before = registry_epoch;
}

static void check_shortened(int result, enum file_verdict expected)
{
	cr_assert_eq(result, -1);
	cr_assert_eq(errno, ENOSPC);
	cr_assert_eq(during, expected);
	cr_assert_eq(epoch_during != epoch_before, expected == FILE_CHANGED);
	cr_assert_eq(verdict(), FILE_SAME);
}

Test(mapping, nobody_trusts_a_size_while_ftruncate_runs)
{
	start_settled();
	check_shortened(mapping_truncate(fd, 0), FILE_CHANGED);
}

Test(mapping, nobody_trusts_a_size_while_truncate_runs)
{
	start_settled();
	check_shortened(mapping_truncate_path("x", 0), FILE_CHANGED);
}

Test(mapping, nobody_trusts_a_size_while_a_range_is_collapsed)
{
	start_settled();
	check_shortened(mapping_allocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 1),
			FILE_CHANGED);
}

Test(mapping, other_allocations_disturb_nobody)
{
	start_settled();
	check_shortened(mapping_allocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1),
			FILE_SAME);
}

static int fork_within(int the_fd, off_t len)
{
	pid_t child = fork();
	int status;

	(void)the_fd, (void)len;
	if (child == 0) {
		mapping_after_fork();
		_exit(verdict() == FILE_SAME ? 0 : 1);
	}
	waitpid(child, &status, 0);
	return status;
}

Test(mapping, a_child_forked_while_a_file_is_shortened_is_not_held_up)
{
	start_settled();
	real.ftruncate = fork_within;
	cr_assert_eq(mapping_truncate(fd, 0), 0);
}

Test(mapping, after_the_program_gave_up_rights_everything_is_passed_on)
{
	int status;
	pid_t child;

	start_with("copy_min=64");
	cr_assert(mapping_copy_policy(map, 64));
	mapping_retire();
	cr_assert(!mapping_is_usable());
	cr_assert_eq(mapping_copy_min, SIZE_MAX);
	child = fork();
	if (child == 0) {
		mapping_after_fork();
		_exit(mapping_is_usable() ? 1 : 0);
	}
	waitpid(child, &status, 0);
	cr_assert_eq(status, 0);
	t_shim_map(fd, LEN);
	cr_assert_eq(registry_pages(), NPAGES, "a mapping was followed");
}

Test(mapping, a_child_that_shares_memory_gives_up_its_own_rights)
{
	int status;
	pid_t child;

	start_with("");
	child = vfork();
	if (child == 0) {
		mapping_retire();
		_exit(0);
	}
	waitpid(child, &status, 0);
	cr_assert(mapping_is_usable());
}

Test(mapping, shared_memory_attached_over_pages_takes_them_out)
{
	int id = shmget(IPC_PRIVATE, 2 * PAGE, 0600);

	start_with("");
	cr_assert_eq(mapping_attach(id, map + PAGE, SHM_REMAP), map + PAGE);
	shmctl(id, IPC_RMID, NULL);
	cr_assert_str_eq(tracked(map, NPAGES), "#..#####");
}

Test(mapping, without_a_free_descriptor_a_file_is_left_to_the_kernel)
{
	struct rlimit limit;

	t_shim_start("");
	fd = t_shim_file("data", LEN);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)fd + 1;
	setrlimit(RLIMIT_NOFILE, &limit);
	errno = EDOM;
	map = t_shim_map(fd, LEN);
	cr_assert_eq(errno, EDOM);
	cr_assert_eq(registry_pages(), 0);
	cr_assert_eq(t_shim_counted(STATS_REFUSED_DESCRIPTOR), 1);
}

Test(mapping, descriptors_are_few_high_and_closed_on_exec)
{
	struct rlimit limit = { .rlim_cur = 256 };
	size_t before, n = 0;

	t_shim_start("");
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 256;
	setrlimit(RLIMIT_NOFILE, &limit);
	before = open_descriptors();
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		fd = t_shim_file(name, PAGE);
		t_shim_map(fd, PAGE);
		close(fd);
	}
	cr_assert_eq(open_descriptors(), before + 256 / 16);
	for (int i = 240; i < 256; i++) {
		cr_assert_eq(fcntl(i, F_GETFD), FD_CLOEXEC);
		n += (fcntl(i, F_GETFL) & O_PATH) != 0;
	}
	cr_assert_eq(n, 16);
}

/* Where the shim mapped the page behind the end of the file. */
static char *find_commit_page(void)
{
	char line[512];
	unsigned long addr = 0, offset;
	FILE *maps = fopen("/proc/self/maps", "r");

	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%*x %*s %lx", &addr, &offset) == 2 &&
		    offset == 1ul << 43)
			break;
	fclose(maps);
	cr_assert_eq(offset, 1ul << 43);
	return (char *)addr;
}

Test(mapping, what_the_program_maps_over_the_commit_page_is_its_own)
{
	struct mapping_request over = {
		.len = PAGE, .prot = PROT_READ | PROT_WRITE, .fd = -1,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	};
	char *page;

	start_with("");
	page = over.addr = find_commit_page();
	cr_assert_eq(mapping_map(&over), page);
	page[0] = 42;
	cr_assert_not(file_page_within((uintptr_t)page,
				       (uintptr_t)page + PAGE));
	mapping_unmap(map, LEN);
	/* A shim that took it for its own would have unmapped it. */
	cr_assert_eq(page[0], 42);
}

Test(mapping, a_commit_page_that_the_program_unmapped_is_forgotten)
{
	char *page;

	start_with("");
	page = find_commit_page();
	cr_assert(file_page_within((uintptr_t)page, (uintptr_t)page + PAGE));
	cr_assert_eq(mapping_unmap(page, PAGE), 0);
	cr_assert_not(file_page_within((uintptr_t)page,
				       (uintptr_t)page + PAGE));
	cr_assert_str_eq(tracked(map, NPAGES), "########");
}

Test(mapping, copies_are_ours_only_wholly_inside_and_from_copy_min)
{
	start_with("copy_min=100");
	cr_assert_eq(mapping_copy_min, 100);
	cr_assert_not_null(mapping_copy_policy(map, LEN));
	cr_assert_not_null(mapping_copy_policy(map + LEN - 100, 100));
	cr_assert_null(mapping_copy_policy(map, 99));
	cr_assert_null(mapping_copy_policy(map + LEN - 99, 100));
	cr_assert_null(mapping_copy_policy(map - 1, 200));
	cr_assert_null(mapping_copy_policy(map, SIZE_MAX));
}

Test(mapping, map_sync_require_refuses_with_the_kernels_error)
{
	struct mapping_request request = {
		.len = LEN, .prot = PROT_READ | PROT_WRITE,
		.flags = MAP_SHARED,
	};
	char *held;

	t_shim_start("map_sync=require");
	request.fd = t_shim_file("data", LEN);
	cr_assert_eq(mapping_map(&request), MAP_FAILED);
	cr_assert_eq(errno, EOPNOTSUPP);
	/* Nor may it cost the program what lies at a fixed address. */
	held = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	held[0] = 42;
	request.addr = held;
	request.flags |= MAP_FIXED;
	cr_assert_eq(mapping_map(&request), MAP_FAILED);
	cr_assert_eq(errno, EOPNOTSUPP);
	cr_assert_eq(held[0], 42);
}

Test(mapping, a_thousand_files_leave_nothing_behind)
{
	size_t before;

	t_shim_start("");
	before = open_descriptors();
	for (int i = 0; i < 1000; i++) {
		fd = t_shim_file("data", LEN);
		map = t_shim_map(fd, LEN);
		mapping_unmap(map, LEN / 2);
		mapping_unmap(map + LEN / 2, LEN / 2);
		close(fd);
	}
	cr_assert_eq(open_descriptors(), before);
	cr_assert_eq(registry_pages(), 0);
}

/* The statistics' own memory */

static char *statistics_page(void)
{
	return (char *)((uintptr_t)stats_file() & ~(uintptr_t)(PAGE - 1));
}

/* What the shim would count is not found in the program's memory. */
static void assert_over(const char *memory)
{
	cr_assert_null(stats_file());
	for (size_t i = 0; memory && i < PAGE; i++)
		cr_assert_eq(memory[i], 0);
}

static void start_with_statistics(void)
{
	start_with("");
	log_set_level(LOG_ERROR);
	cr_assert_not_null(stats_file());
}

Test(mapping, statistics_end_where_the_program_maps_over_them)
{
	struct mapping_request request = {
		.len = PAGE, .prot = PROT_READ | PROT_WRITE, .fd = -1,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	};

	start_with_statistics();
	request.addr = statistics_page();
	cr_assert_eq(mapping_map(&request), request.addr);
	mapping_copy_policy(map, LEN);
	assert_over(request.addr);
	cr_assert_str_eq(tracked(map, NPAGES), "########");
}

Test(mapping, statistics_end_where_the_program_maps_a_tracked_file_over_them)
{
	struct mapping_request request = {
		.len = PAGE, .prot = PROT_READ | PROT_WRITE,
		.flags = MAP_SHARED | MAP_FIXED,
	};

	start_with_statistics();
	request.addr = statistics_page();
	request.fd = t_shim_file("over", PAGE);
	cr_assert_eq(mapping_map(&request), request.addr);
	assert_over(request.addr);
}

Test(mapping, statistics_end_where_the_program_unmaps_them)
{
	start_with_statistics();
	cr_assert_eq(mapping_unmap(statistics_page(), PAGE), 0);
	assert_over(NULL);
	mapping_copy_policy(map, LEN);
}

Test(mapping, statistics_end_where_the_program_forbids_writing_them)
{
	start_with_statistics();
	cr_assert_eq(mapping_protect(statistics_page(), PAGE, PROT_READ), 0);
	assert_over(NULL);
	mapping_copy_policy(map, LEN);
}

Test(mapping, statistics_end_where_the_program_moves_them)
{
	char *page;

	start_with_statistics();
	page = statistics_page();
	cr_assert_neq(mapping_remap(page, PAGE, 2 * PAGE, MREMAP_MAYMOVE,
				    NULL), MAP_FAILED);
	assert_over(NULL);
	mapping_copy_policy(map, LEN);
}

Test(mapping, statistics_end_where_a_segment_lies_over_them)
{
	int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
	char *page;

	t_shim_start("");
	log_set_level(LOG_ERROR);
	page = statistics_page();
	cr_assert_eq(mapping_attach(id, page, SHM_REMAP), page);
	shmctl(id, IPC_RMID, NULL);
	assert_over(page);
}

Test(mapping, statistics_end_where_children_shall_not_have_them)
{
	start_with_statistics();
	cr_assert_eq(mapping_advise(statistics_page(), PAGE, MADV_DONTFORK), 0);
	assert_over(NULL);
}

Test(mapping, statistics_go_on_where_the_program_only_looks_at_them)
{
	start_with_statistics();
	cr_assert_eq(mapping_protect(statistics_page(), PAGE,
				     PROT_READ | PROT_WRITE), 0);
	cr_assert_eq(mapping_advise(statistics_page(), PAGE, MADV_WILLNEED),
		     0);
	cr_assert_not_null(stats_file());
}

/* mode=auto: the first msync of each is the kernel's, and there is no second. */
Test(mapping, auto_leaves_mappings_alone_that_do_not_pay)
{
	size_t followed = 0;

	t_shim_start("mode=auto");
	fd = t_shim_file("data", LEN);
	for (int i = 0; i < 100; i++) {
		map = t_shim_map(fd, LEN);
		followed += registry_find((uintptr_t)map) != 0;
		cr_assert_eq(sync_range(map, LEN, MS_SYNC), 0);
		cr_assert_eq(mapping_unmap(map, LEN), 0);
	}
	cr_assert(followed >= 8 && followed <= 20, "%zu", followed);
	cr_assert_eq(t_shim_counted(STATS_REFUSED_SHORT), 100 - followed);
}

/* On entries of 4 KiB either way is better than none. */
Test(mapping, auto_follows_mappings_that_are_synced_again)
{
	const size_t len = (size_t)4 << 20;

	t_shim_start("mode=auto,pages=small");
	fd = t_shim_file("data", (off_t)len);
	for (int i = 0; i < 100; i++) {
		map = t_shim_map(fd, len);
		cr_assert_neq(registry_find((uintptr_t)map), 0);
		sync_range(map, len, MS_SYNC);
		sync_range(map, len, MS_SYNC);
		mapping_unmap(map, len);
	}
}
