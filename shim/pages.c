/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pages.c: places for mappings, one above the other, in a range of addresses
 * where nobody else is known to put any.
 *
 * Design: no hole is looked for and none is reserved first: what another
 * thread maps or unmaps meanwhile would be in the way. When the range has been
 * gone through it begins anew, and what still lies there is passed over by the
 * kernel. Extents are asked for without FIEMAP_FLAG_SYNC, which would write
 * the file's dirty pages back.
 */
#include "shim/pages.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdatomic.h>
#include <string.h>

#include "shim/own.h"
#include "shim/registry.h"
#include "shim/sys.h"

#define HUGE	((uint64_t)2 << 20)

/* Extents that are looked at; a file in more pieces has no large ones. */
enum { EXTENTS = 32, LOOKS = 8 };

bool pages_are_small(uint64_t delta)
{
	return delta % HUGE != 0;
}

bool pages_differ(off_t offset, size_t len)
{
	const uint64_t from = (uint64_t)offset;

	return len >= HUGE && (from + HUGE - 1) / HUGE < (from + len) / HUGE;
}

/* Whether all of them are written and follow each other; *from: where to go on. */
static bool all_written(const struct fiemap *map, uint64_t *from)
{
	for (uint32_t i = 0; i < map->fm_mapped_extents; i++) {
		const struct fiemap_extent *e = &map->fm_extents[i];

		if (e->fe_logical > *from ||
		    (e->fe_flags & (FIEMAP_EXTENT_UNWRITTEN |
				    FIEMAP_EXTENT_DELALLOC |
				    FIEMAP_EXTENT_UNKNOWN)))
			return false;
		*from = e->fe_logical + e->fe_length;
	}
	return map->fm_mapped_extents > 0;
}

/* False also where the file system does not say. */
static bool is_written(int fd, uint64_t from, uint64_t end)
{
	_Alignas(struct fiemap) unsigned char
		room[sizeof(struct fiemap) +
		     EXTENTS * sizeof(struct fiemap_extent)];
	struct fiemap *map = (struct fiemap *)room;

	for (int i = 0; i < LOOKS && from < end; i++) {
		memset(map, 0, sizeof(*map));
		map->fm_start = from;
		map->fm_length = end - from;
		map->fm_extent_count = EXTENTS;
		if (sys_ioctl(fd, FS_IOC_FIEMAP, map) ||
		    !all_written(map, &from))
			return false;
	}
	return true;
}

/* Programs map more than there is of a file yet: what there is must tell. */
static bool has_its_blocks(int fd, off_t offset, size_t len)
{
	struct stat st;
	uint64_t end = (uint64_t)offset + len;

	if (sys_fstat(fd, &st))
		return false;
	if (end > (uint64_t)st.st_size)
		end = (uint64_t)st.st_size;
	return end > (uint64_t)offset &&
	       pages_differ(offset, (size_t)(end - (uint64_t)offset)) &&
	       is_written(fd, (uint64_t)offset, end);
}

enum config_pages pages_wanted(const struct config_rule *rule, int fd,
			       off_t offset, size_t len, bool writable)
{
	if (!pages_differ(offset, len))
		return CONFIG_PAGES_AUTO;
	if (rule->pages != CONFIG_PAGES_AUTO)
		return rule->pages;
	return writable && has_its_blocks(fd, offset, len)
	     ? CONFIG_PAGES_SMALL : CONFIG_PAGES_AUTO;
}

void *pages_place(enum config_pages want, off_t offset, size_t len)
{
	/* The kernel follows a hint only where it finds 2 MiB of room more. */
	uintptr_t place = own_program_place(len + 3 * HUGE);
	uintptr_t base = (place + HUGE - 1) & ~(uintptr_t)(HUGE - 1);

	base += (uint64_t)offset % HUGE;
	return (void *)(want == CONFIG_PAGES_SMALL ? base + REGISTRY_PAGE
						   : base);
}
