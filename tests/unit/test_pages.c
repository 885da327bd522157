/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses for entries of 4 KiB and of 2 MiB, on tmpfs: where mappings come to
 * lie. What entries DAX then uses is seen in tests/guest.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/mapping.h"
#include "shim/pages.h"
#include "shim/registry.h"
#include "tests/support/t_shim.h"

#define PAGE	REGISTRY_PAGE
#define HUGE	((size_t)2 << 20)
#define LEN	(3 * HUGE)

static int fd;

static struct mapping_request whole(void)
{
	return (struct mapping_request){
		.len = LEN, .prot = PROT_READ | PROT_WRITE,
		.flags = MAP_SHARED, .fd = fd,
	};
}

static char *map_at(off_t offset)
{
	struct mapping_request request = whole();
	char *addr;

	request.offset = offset;
	addr = mapping_map(&request);
	cr_assert_neq(addr, MAP_FAILED);
	return addr;
}

static size_t off_grid(const void *addr, off_t offset)
{
	return ((uintptr_t)addr - (uintptr_t)offset) % HUGE;
}

static void start_with(const char *options)
{
	t_shim_start(options);
	fd = t_shim_file("data", LEN + HUGE);
}

Test(pages, only_a_whole_block_of_2_MiB_makes_a_difference)
{
	cr_assert_not(pages_differ(0, HUGE - 1));
	cr_assert(pages_differ(0, HUGE));
	cr_assert_not(pages_differ(PAGE, HUGE));
	cr_assert(pages_differ(PAGE, 2 * HUGE - PAGE));
	cr_assert_not(pages_differ(PAGE, 2 * HUGE - 2 * PAGE));
}

Test(pages, a_place_is_on_the_grid_or_beside_it)
{
	for (off_t offset = 0; offset < (off_t)(2 * HUGE); offset += 37 * PAGE) {
		const void *small = pages_place(CONFIG_PAGES_SMALL, offset, LEN);
		const void *huge = pages_place(CONFIG_PAGES_HUGE, offset, LEN);

		cr_assert_eq(off_grid(small, offset), PAGE);
		cr_assert_eq(off_grid(huge, offset), 0);
		cr_assert_eq((uintptr_t)small % PAGE, 0);
	}
}

/* The range of places is as large as half of what is ours, and used again. */
Test(pages, places_never_leave_their_range)
{
	for (int i = 0; i < 100; i++) {
		uintptr_t at = (uintptr_t)pages_place(CONFIG_PAGES_SMALL, 0,
						      (size_t)1 << 40);

		cr_assert(at >= UINT64_C(0x480000000000) &&
			  at < UINT64_C(0x500001000000), "%lx", at);
	}
}

Test(pages, small_is_beside_the_grid)
{
	start_with("pages=small");
	for (int i = 0; i < 20; i++) {
		char *addr = map_at((off_t)PAGE * i);

		cr_assert_neq(off_grid(addr, (off_t)PAGE * i), 0);
		cr_assert_neq(registry_find((uintptr_t)addr), 0);
		addr[0] = 1;
	}
	cr_assert_eq(t_shim_counted(STATS_PAGES_SMALL), 20);
}

Test(pages, huge_is_on_the_grid)
{
	start_with("pages=huge");
	for (int i = 0; i < 20; i++)
		cr_assert_eq(off_grid(map_at((off_t)PAGE * i),
				      (off_t)PAGE * i), 0);
	cr_assert_eq(t_shim_counted(STATS_PAGES_HUGE), 20);
}

/* In a directory whose file system may tell which blocks are written. */
static int file_of(size_t written, size_t allocated)
{
	static char data[1 << 16];
	char path[] = "/var/tmp/pmemshim-pages-XXXXXX";
	struct fiemap ask = { .fm_length = FIEMAP_MAX_OFFSET };
	int file = mkstemp(path);

	cr_assert_geq(file, 0);
	unlink(path);
	memset(data, 1, sizeof(data));
	for (size_t at = 0; at < written; at += sizeof(data))
		cr_assert_eq(pwrite(file, data, sizeof(data), (off_t)at),
			     (ssize_t)sizeof(data));
	cr_assert_eq(fsync(file), 0);
	if (allocated && fallocate(file, 0, 0, (off_t)allocated))
		cr_skip("no fallocate in /var/tmp");
	if (ioctl(file, FS_IOC_FIEMAP, &ask))
		cr_skip("no FIEMAP in /var/tmp");
	return file;
}

static enum config_pages wanted(int file, bool writable)
{
	static const struct config_rule rule = { .pages = CONFIG_PAGES_AUTO };

	return pages_wanted(&rule, file, 0, LEN, writable);
}

Test(pages, auto_is_small_for_a_file_that_is_written_and_stored_to)
{
	int file = file_of(LEN, 0);

	cr_assert_eq(wanted(file, true), CONFIG_PAGES_SMALL);
	cr_assert_eq(wanted(file, false), CONFIG_PAGES_AUTO);
	/* The map may be longer than the file, but there must be a file. */
	cr_assert_eq(wanted(file_of(HUGE, 0), true), CONFIG_PAGES_SMALL);
	cr_assert_eq(wanted(file_of(HUGE / 2, 0), true), CONFIG_PAGES_AUTO);
}

Test(pages, auto_leaves_a_file_with_room_in_it_to_the_kernel)
{
	cr_assert_eq(wanted(file_of(LEN - HUGE, LEN), true),
		     CONFIG_PAGES_AUTO);
	int sparse = file_of(LEN - HUGE, 0);

	cr_assert_eq(ftruncate(sparse, LEN), 0);
	cr_assert_eq(wanted(sparse, true), CONFIG_PAGES_AUTO);
}

/* tmpfs does not say which blocks are written. */
Test(pages, auto_leaves_the_kernel_its_choice_where_nothing_is_told)
{
	start_with("pages=auto");
	map_at(0);
	cr_assert_eq(t_shim_counted(STATS_PAGES_SMALL), 0);
	cr_assert_eq(t_shim_counted(STATS_PAGES_HUGE), 0);
}

Test(pages, an_address_that_the_program_gave_stays)
{
	struct mapping_request request;
	char *room;

	start_with("pages=small");
	room = mmap(NULL, 3 * LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	request = whole();
	request.addr = (void *)(((uintptr_t)room + HUGE) & ~(HUGE - 1));
	request.flags |= MAP_FIXED;
	cr_assert_eq(mapping_map(&request), request.addr);
	cr_assert_eq(off_grid(request.addr, 0), 0);
	munmap(room, 3 * LEN);
	/* A hint too. */
	request.flags &= ~MAP_FIXED;
	cr_assert_eq(mapping_map(&request), request.addr);
	cr_assert_eq(t_shim_counted(STATS_PAGES_SMALL), 0);
}

Test(pages, a_short_mapping_is_not_placed)
{
	struct mapping_request request;

	start_with("pages=small");
	request = whole();
	request.len = HUGE - PAGE;
	cr_assert_neq(mapping_map(&request), MAP_FAILED);
	cr_assert_eq(t_shim_counted(STATS_PAGES_SMALL), 0);
}

/* Other memory right behind it makes it move. */
Test(pages, a_mapping_that_moves_keeps_its_entries)
{
	char *old, *new, *wall;

	start_with("pages=small");
	old = map_at(0);
	old[5] = 5;
	wall = mmap(old + LEN, PAGE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	cr_assert_neq(wall, MAP_FAILED);
	errno = EDOM;
	new = mapping_remap(old, LEN, LEN + HUGE, MREMAP_MAYMOVE, NULL);
	cr_assert_neq(new, MAP_FAILED);
	cr_assert_eq(errno, EDOM);
	cr_assert_neq(new, old);
	cr_assert_neq(off_grid(new, 0), 0);
	cr_assert((uintptr_t)new >= UINT64_C(0x480000000000) &&
		  (uintptr_t)new < UINT64_C(0x500001000000),
		  "where the kernel pleased");
	cr_assert_eq(new[5], 5);
	cr_assert_neq(registry_find((uintptr_t)new + LEN), 0);
	cr_assert_eq(registry_find((uintptr_t)old), 0);
}

Test(pages, a_move_that_fails_fails_as_it_does_without_us)
{
	const size_t far_too_long = (size_t)1 << 47;
	char *old;
	int bare;

	start_with("pages=small");
	cr_assert_eq(mremap(mmap(NULL, LEN, PROT_READ, MAP_SHARED, fd, 0), LEN,
			    far_too_long, MREMAP_MAYMOVE), MAP_FAILED);
	bare = errno;
	old = map_at(0);
	errno = 0;
	cr_assert_eq(mapping_remap(old, LEN, far_too_long, MREMAP_MAYMOVE,
				   NULL), MAP_FAILED);
	cr_assert_eq(errno, bare);
	old[LEN - 1] = 1;
	cr_assert_neq(registry_find((uintptr_t)old), 0);
}
