/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe_pages.c: which 2 MiB blocks of a file one page-table entry could map.
 *
 * Design: DAX maps 2 MiB by one entry when the block's physical address is a
 * multiple of 2 MiB, one extent covers it, and it lies within the file's size
 * (fs/dax.c, dax_iomap_pmd_fault); the mapping's address is the program's
 * business. Physical addresses are the namespace's, the partition's and the
 * extents' together. Extents are asked for without FIEMAP_FLAG_SYNC, which
 * would write the file's dirty pages back.
 */
#include "cli/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "shim/pages.h"

#define HUGE	((uint64_t)2 << 20)
/* What a new file would get: enough for one whole block and a bit. */
#define SAMPLE	(2 * HUGE)
#define BATCH	64

struct walk {
	uint64_t base;		/* physical address of the file system */
	uint64_t possible;
	uint64_t first;		/* how far the first extent is misaligned */
	bool any, unknown;
};

static void count_extent(struct walk *walk, const struct fiemap_extent *e,
			 uint64_t size)
{
	uint64_t physical = walk->base + e->fe_physical;
	uint64_t begin = (e->fe_logical + HUGE - 1) / HUGE;
	uint64_t end = e->fe_logical + e->fe_length;
	uint64_t off = (physical - e->fe_logical) % HUGE;

	if (e->fe_flags & (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_ENCODED |
			   FIEMAP_EXTENT_DATA_INLINE)) {
		walk->unknown = true;
		return;
	}
	if (!walk->any)
		walk->first = off;
	walk->any = true;
	end = (end < size ? end : size) / HUGE;
	if (off == 0 && end > begin)
		walk->possible += end - begin;
}

/* 0 or a negative errno. */
static int walk_extents(int fd, struct walk *walk, uint64_t size)
{
	struct fiemap *map = cli_alloc(sizeof(*map) +
				       BATCH * sizeof(map->fm_extents[0]));
	const struct fiemap_extent *last;
	uint64_t from = 0;
	int err = 0;
	unsigned int i;

	do {
		memset(map, 0, sizeof(*map));
		map->fm_start = from;
		map->fm_length = FIEMAP_MAX_OFFSET - from;
		map->fm_extent_count = BATCH;
		if (ioctl(fd, FS_IOC_FIEMAP, map)) {
			err = -errno;
			break;
		}
		for (i = 0; i < map->fm_mapped_extents; i++)
			count_extent(walk, &map->fm_extents[i], size);
		if (i == 0)
			break;
		last = &map->fm_extents[i - 1];
		from = last->fe_logical + last->fe_length;
	} while (!(last->fe_flags & FIEMAP_EXTENT_LAST) && from < size);
	free(map);
	return err;
}

static char *misaligned(const struct probe *p, const struct walk *walk)
{
	uint64_t start = walk->base % HUGE;

	if (!walk->any)
		return cli_strdup("nothing of the file is allocated yet");
	if (start != 0)
		return cli_format("the file system starts %" PRIu64 " KiB after a multiple of 2 MiB (namespace and partition)",
				  start >> 10);
	if (walk->first == 0)
		return cli_strdup("no 2 MiB block lies in one extent");
	return cli_format("its first extent lies %" PRIu64 " KiB off a multiple of 2 MiB; %s",
			  walk->first >> 10,
			  !strcmp(p->mount.type, "xfs")
			  ? "xfs_io -c 'extsize 2m' on its directory, with mkfs.xfs -d su=2m,sw=1, aligns new files"
			  : "mkfs.ext4 -E stride=512,stripe_width=512 aligns new files");
}

static void pages_of_file(struct probe *p, int fd, uint64_t size)
{
	struct walk walk = { .base = p->device.start + p->device.partition };
	struct probe_pages *pages = &p->pages;
	int err;

	/* Unknown to us, the namespace starts at a multiple of its align. */
	pages->blocks = size / HUGE;
	if (pages->blocks == 0) {
		pages->why = cli_strdup("the file is smaller than 2 MiB");
		pages->known = true;
		return;
	}
	err = walk_extents(fd, &walk, size);
	if (err || (walk.unknown && walk.possible == 0)) {
		pages->why = err ? cli_format("no map of its extents (%s)",
					      probe_error(-err))
				 : cli_strdup("its extents are not placed yet");
		return;
	}
	pages->known = true;
	pages->possible = walk.possible;
	if (walk.possible == 0)
		pages->why = misaligned(p, &walk);
}

static void pages_of_sample(struct probe *p)
{
	p->pages.temporary = true;
	if (p->temp < 0)
		p->pages.why = cli_strdup(p->no_temp);
	else if (fallocate(p->temp, 0, 0, (off_t)SAMPLE))
		p->pages.why = cli_format("no room for a file of 4 MiB (%s)",
					  probe_error(errno));
	else
		pages_of_file(p, p->temp, SAMPLE);
	/* Room that is not needed while the costs are measured. */
	if (p->temp >= 0 && ftruncate(p->temp, 0))
		p->pages.known = false;
}

/* By the shim's own code. */
static void pages_of_rule(struct probe *p)
{
	if (p->rule && p->rule->mode != CONFIG_MODE_OFF && p->fd >= 0 &&
	    p->info.kind == DAX_FILE)
		p->pages.wanted = pages_wanted(p->rule, p->fd, 0,
					       p->inode.size, true);
}

void probe_pages(struct probe *p)
{
	const struct probe_device *d = &p->device;

	pages_of_rule(p);
	if (p->info.kind == DAX_DEVICE) {
		p->pages.known = d->align != 0;
		p->pages.possible = d->align % HUGE == 0 && d->align != 0;
		p->pages.blocks = 1;
	} else if (p->info.kind != DAX_FILE) {
		p->pages.why = cli_strdup("not a DAX file");
	} else if (d->mapped) {
		p->pages.why = cli_strdup("where a volume's parts lie is not looked into");
	} else if (!d->region) {
		p->pages.why = cli_strdup("the device's place in memory is not known");
	} else if (d->align % HUGE != 0) {
		p->pages.known = true;
		p->pages.why = cli_format("the namespace is aligned to %" PRIu64 " KiB only",
					  d->align >> 10);
	} else if (!d->start_known && d->align == 0) {
		p->pages.why = cli_strdup("the namespace's address is for root only");
	} else if (p->fd >= 0) {
		pages_of_file(p, p->fd, p->inode.size);
	} else {
		pages_of_sample(p);
	}
}
