/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dirty.c: see dirty.h.
 *
 * Design: each mapping has a userfaultfd of its own, so that one close(2) ends
 * its tracking exactly, whatever has become of its addresses. A sync protects
 * a window of pages first and flushes them then: a store in between is flushed
 * or found by the next sync. What was protected and not yet flushed must be
 * believed by nobody, so each sync counts in `begun` before and in `ended`
 * after; whoever finds these apart flushes everything. A sync that never ends
 * (siglongjmp, an error) leaves them apart for good: slow, and never wrong.
 */
#include "shim/dirty.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "shim/compiler.h"
#include "shim/descriptor.h"
#include "shim/pages.h"
#include "shim/sys.h"

/* include/uapi/linux/userfaultfd.h and fs.h, 5.11 and 6.7 */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#define FEATURE_WP_ASYNC	((uint64_t)1 << 15)

struct scan_run {
	uint64_t start, end, categories;
};

struct scan {
	uint64_t size, flags, start, end, walk_end, runs, runs_len, max_pages,
		 inverted, all_of, any_of, returned;
};

#define PAGEMAP_SCAN_CALL	_IOWR('f', 16, struct scan)

/* PM_SCAN_WP_MATCHING; PM_SCAN_CHECK_WPASYNC: fail where not registered. */
enum { SCAN_PROTECT = 1, SCAN_REGISTERED = 2 };
enum { WRITTEN = 2, PRESENT = 8, ZERO = 32, HUGE = 64 };

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22	/* asm-generic/mman-common.h, 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

/*
 * What may be protected: pages that are there, not the zero page (which the
 * file system takes away when the hole is filled), not huge. All of the
 * protected mask is named, or the kernel would take a shorter way that makes
 * markers too (fs/proc/task_mmu.c, pagemap_scan_pmd_entry).
 */
static const struct scan protect = {
	.flags = SCAN_PROTECT | SCAN_REGISTERED,
	.inverted = ZERO | HUGE,
	.all_of = WRITTEN | PRESENT | ZERO | HUGE,
	.returned = PRESENT | HUGE,
};

/* What else is not protected: what the first scan left out, and what was
 * stored to since. A zero page holds nothing. */
static const struct scan unprotected = {
	.flags = SCAN_REGISTERED,
	.inverted = PRESENT | ZERO,
	.all_of = ZERO,
	.any_of = WRITTEN | PRESENT | HUGE,
	.returned = PRESENT | HUGE,
};

enum { TRACKS_MAX = 64, WINDOW = 64 };

/* Behind any data: where file.c maps its commit pages. */
#define BEHIND_DATA	((uint64_t)1 << 43)

struct dirty_track {
	_Atomic int fd;		/* -1: tracking has stopped */
	_Atomic uint64_t fd_dev, fd_ino;
	_Atomic uintptr_t addr, end;
	_Atomic uint64_t dev, ino;
	_Atomic size_t rule;
	_Atomic uint64_t begun, ended;	/* never reset */
};

static struct dirty_track tracks[TRACKS_MAX];
static _Atomic size_t ever_used;	/* tracks from here on are untouched */

/* /proc/self/pagemap, of this process. */
static _Atomic int pagemap = -1;
static _Atomic uint64_t pagemap_dev, pagemap_ino;

static _Atomic unsigned int forking;

unsigned int dirty_threads = 1;

/*
 * Tracks
 */

static size_t used(void)
{
	return atomic_load_explicit(&ever_used, memory_order_acquire);
}

static bool is_on(const struct dirty_track *track)
{
	return atomic_load(&track->fd) >= 0;
}

/* Whoever takes the descriptor away closes it, which lifts the protection. */
static void stop(struct dirty_track *track, enum stats_counter why)
{
	int fd = atomic_exchange(&track->fd, -1);
	struct stat st;

	if (fd < 0)
		return;
	if (descriptor_leads_to(fd, track->fd_dev, track->fd_ino, &st))
		sys_close(fd);
	if (why != STATS_COUNTERS)
		stats_add(track->rule, why, 1);
}

static void stop_all(enum stats_counter why)
{
	for (size_t i = 0; i < used(); i++)
		stop(&tracks[i], why);
}

static void stop_file(uint64_t dev, uint64_t ino, const void *but,
		      enum stats_counter why)
{
	for (size_t i = 0; i < used(); i++)
		if (tracks[i].dev == dev && tracks[i].ino == ino &&
		    tracks[i].addr != (uintptr_t)but)
			stop(&tracks[i], why);
}

static struct dirty_track *find(uintptr_t addr, uintptr_t end)
{
	for (size_t i = 0; i < used(); i++)
		if (is_on(&tracks[i]) && addr >= tracks[i].addr &&
		    end <= tracks[i].end)
			return &tracks[i];
	return NULL;
}

/* A sync that is under way keeps its track. */
static struct dirty_track *find_unused(void)
{
	for (size_t i = 0; i < used(); i++)
		if (!is_on(&tracks[i]) && tracks[i].begun == tracks[i].ended)
			return &tracks[i];
	if (ever_used == TRACKS_MAX)
		return NULL;
	atomic_store(&tracks[ever_used].fd, -1);
	return &tracks[ever_used++];
}

/*
 * The kernel
 */

static bool pagemap_is_ours(void)
{
	struct stat st;

	return descriptor_leads_to(pagemap, pagemap_dev, pagemap_ino, &st);
}

static bool open_pagemap(void)
{
	struct stat st;
	int fd;

	if (pagemap_is_ours())
		return true;
	fd = descriptor_raise(sys_open("/proc/self/pagemap",
				       O_RDONLY | O_CLOEXEC, 0));
	if (fd < 0)
		return false;
	if (sys_fstat(fd, &st)) {
		sys_close(fd);
		return false;
	}
	pagemap_dev = st.st_dev;
	pagemap_ino = st.st_ino;
	pagemap = fd;
	return true;
}

/* How many runs of pages, the first of those that query means. */
static long scan(const struct scan *query, uintptr_t addr, uintptr_t end,
		 struct scan_run runs[WINDOW], uintptr_t *scanned)
{
	struct scan arguments = *query;
	long n;

	arguments.size = sizeof(arguments);
	arguments.start = addr;
	arguments.end = end;
	arguments.runs = (uintptr_t)runs;
	arguments.runs_len = WINDOW;
	n = sys_ioctl(pagemap, PAGEMAP_SCAN_CALL, &arguments);
	*scanned = (uintptr_t)arguments.walk_end;
	return n < 0 || *scanned <= addr || *scanned > end ? -1 : n;
}

/* As the kernel counts, io_uring's workers among them. */
static bool is_alone(void)
{
	struct statx stx;

	/* A link for each thread, and two as every directory has. */
	return sys_statx(AT_FDCWD, "/proc/self/task", AT_STATX_DONT_SYNC,
			 STATX_NLINK, &stx) == 0 &&
	       stx.stx_nlink == dirty_threads + 2;
}

/*
 * Without UFFD_USER_MODE_ONLY it takes privileges; faults that the kernel
 * takes in our pages are resolved all the same, since nobody is asked.
 */
static int open_userfaultfd(void)
{
	struct uffdio_api api = { .api = UFFD_API,
				  .features = FEATURE_WP_ASYNC };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK |
					       UFFD_USER_MODE_ONLY);

	if (fd >= 0 && sys_ioctl(fd, UFFDIO_API, &api)) {
		sys_close(fd);
		return -1;
	}
	return descriptor_raise(fd);
}

/* Register the mapping, and see that its pages can be asked for. */
static int watch(uintptr_t addr, uintptr_t end)
{
	struct uffdio_register range = {
		.range = { .start = addr, .len = end - addr },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct scan_run runs[WINDOW];
	uintptr_t scanned;
	int fd;

	if (!open_pagemap())
		return -1;
	fd = open_userfaultfd();
	if (fd < 0)
		return -1;
	if (sys_ioctl(fd, UFFDIO_REGISTER, &range) ||
	    scan(&unprotected, addr, end, runs, &scanned) < 0) {
		sys_close(fd);
		return -1;
	}
	return fd;
}

/*
 * Other mappings of the file
 */

/* A line of /proc/self/maps: addr-end perms offset major:minor inode. */
static bool is_another(const char *line, const struct dirty_mapping *mapping)
{
	uint64_t addr, end, offset, ino;
	unsigned int major_number, minor_number;
	bool shared;
	char *p;

	addr = strtoull(line, &p, 16);
	end = strtoull(p + 1, &p, 16);
	shared = strlen(p) > 5 && p[4] == 's';
	if (!shared)
		return false;
	offset = strtoull(p + 5, &p, 16);
	major_number = (unsigned int)strtoul(p, &p, 16);
	minor_number = (unsigned int)strtoul(p + 1, &p, 16);
	ino = strtoull(p, &p, 10);
	return ino == mapping->ino && offset < BEHIND_DATA &&
	       makedev(major_number, minor_number) == mapping->dev &&
	       (addr < mapping->addr || end > mapping->end);
}

/* True as well when that cannot be found out. */
static bool is_mapped_elsewhere(const struct dirty_mapping *mapping)
{
	char text[1024], line[128];
	size_t len = 0;
	bool another = false;
	ssize_t n = -1;
	int fd = sys_open("/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);

	while (fd >= 0 && (n = sys_read(fd, text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < n && !another; i++) {
			if (text[i] != '\n') {
				if (len < sizeof(line) - 1)
					line[len++] = text[i];
				continue;
			}
			line[len] = '\0';
			another = is_another(line, mapping);
			len = 0;
		}
	}
	if (fd >= 0)
		sys_close(fd);
	return another || n < 0;
}

/*
 * Mappings
 */

/* The counter that says how it ended. */
static enum stats_counter track(const struct dirty_mapping *mapping)
{
	struct dirty_track *track = find_unused();
	struct stat st;
	int fd;

	if (!pages_are_small(mapping->offset - mapping->addr) &&
	    pages_differ((off_t)mapping->offset, mapping->end - mapping->addr))
		return STATS_UNTRACKED_HUGE;
	if (!track || (long)used() > descriptor_budget() / 2)
		return STATS_UNTRACKED_KERNEL;
	fd = watch(mapping->addr, mapping->end);
	if (fd < 0)
		return STATS_UNTRACKED_KERNEL;
	if (sys_fstat(fd, &st)) {
		sys_close(fd);
		return STATS_UNTRACKED_KERNEL;
	}
	track->fd_dev = st.st_dev;
	track->fd_ino = st.st_ino;
	track->addr = mapping->addr;
	track->end = mapping->end;
	track->dev = mapping->dev;
	track->ino = mapping->ino;
	track->rule = mapping->rule;
	/* Seen by whoever forks or maps the file from here on; what came before
	 * is looked for now. */
	atomic_store(&track->fd, fd);
	if (atomic_load(&forking)) {
		stop(track, STATS_COUNTERS);
		return STATS_STOPPED_FORK;
	}
	if (is_mapped_elsewhere(mapping)) {
		stop(track, STATS_COUNTERS);
		return STATS_UNTRACKED_SHARED;
	}
	return STATS_TRACKED_MAPPINGS;
}

void dirty_map(const struct dirty_mapping *mapping)
{
	int saved = errno;

	stats_add(mapping->rule, track(mapping), 1);
	errno = saved;
}

void dirty_mapped(int fd, const void *addr)
{
	int saved = errno;
	struct stat st;

	if (used() && sys_fstat(fd, &st) == 0)
		stop_file(st.st_dev, st.st_ino, addr, STATS_STOPPED_SHARED);
	errno = saved;
}

void dirty_drop(uintptr_t addr, uintptr_t end)
{
	int saved = errno;

	for (size_t i = 0; i < used(); i++) {
		bool wholly = addr <= tracks[i].addr && end >= tracks[i].end;

		if (is_on(&tracks[i]) && addr < tracks[i].end &&
		    end > tracks[i].addr)
			stop(&tracks[i], wholly ? STATS_COUNTERS
						: STATS_STOPPED_MOVED);
	}
	errno = saved;
}

void dirty_advised(uintptr_t addr, uintptr_t end, int advice)
{
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return;
	default:
		dirty_drop(addr, end);
	}
}

void dirty_resized(int fd, const char *path)
{
	int saved = errno;
	struct stat st;
	struct statx stx;

	if (!used())
		return;
	if (!path && sys_fstat(fd, &st) == 0)
		stop_file(st.st_dev, st.st_ino, NULL, STATS_STOPPED_RESIZED);
	if (path && sys_statx(AT_FDCWD, path, 0, STATX_INO, &stx) == 0)
		stop_file(makedev(stx.stx_dev_major, stx.stx_dev_minor),
			  stx.stx_ino, NULL, STATS_STOPPED_RESIZED);
	errno = saved;
}

void dirty_stop(void)
{
	int saved = errno;

	stop_all(STATS_COUNTERS);
	errno = saved;
}

void dirty_before_fork(void)
{
	int saved = errno;

	/* Pairs with the load in track. */
	atomic_fetch_add(&forking, 1);
	stop_all(STATS_STOPPED_FORK);
	errno = saved;
}

void dirty_after_fork(void)
{
	atomic_fetch_sub(&forking, 1);
}

/* The pagemap that was inherited is the parent's. */
void dirty_after_fork_in_child(void)
{
	int saved = errno;

	if (pagemap >= 0 && pagemap_is_ours())
		sys_close(pagemap);
	pagemap = -1;
	atomic_store(&forking, 0);
	errno = saved;
}

/*
 * Syncs
 */

/* How many syncs of this mapping are under way, or were never finished.
 * `ended` is read first: an ended sync is not taken for one that has begun. */
static uint64_t under_way(const struct dirty_track *track)
{
	uint64_t ended = atomic_load(&track->ended);

	return atomic_load(&track->begun) - ended;
}

enum stats_counter dirty_judge(uintptr_t addr, uintptr_t end)
{
	struct dirty_track *track = find(addr, end);

	if (!track)
		return STATS_WHOLE_UNTRACKED;
	if (under_way(track))
		return STATS_WHOLE_BUSY;
	if (!is_alone())
		return STATS_WHOLE_THREADS;
	if (pagemap_is_ours())
		return STATS_TRACKED;
	stop(track, STATS_STOPPED_FAILED);
	return STATS_WHOLE_UNTRACKED;
}

struct flusher {
	dirty_flush_fn flush;
	void *context;
};

/*
 * Pages that are not there become so, to be protected the next time. A huge
 * one says that nothing here may be believed.
 */
static enum stats_counter flush_runs(const struct flusher *flusher,
				     const struct scan_run *runs, long n)
{
	for (long i = 0; i < n; i++) {
		uintptr_t addr = (uintptr_t)runs[i].start;
		uintptr_t end = (uintptr_t)runs[i].end;

		if (runs[i].categories & HUGE)
			return STATS_WHOLE_UNTRACKED;
		if (!(runs[i].categories & PRESENT))
			sys_madvise((void *)addr, end - addr,
				    MADV_POPULATE_READ);
		if (!flusher->flush(flusher->context, addr, end))
			return STATS_KERNEL_OVERTAKEN;
	}
	return STATS_TRACKED;
}

static enum stats_counter pass(const struct scan *query, uintptr_t addr,
			       uintptr_t end, const struct flusher *flusher)
{
	enum stats_counter answer = STATS_TRACKED;
	struct scan_run runs[WINDOW];
	uintptr_t scanned;

	for (; addr < end && answer == STATS_TRACKED; addr = scanned) {
		long n = scan(query, addr, end, runs, &scanned);

		if (n < 0)
			return STATS_WHOLE_UNTRACKED;
		answer = flush_runs(flusher, runs, n);
	}
	return answer;
}

/*
 * The second pass finds a page that was not there in the first, even if it is
 * by now; together they find every page that was not protected all along.
 */
static enum stats_counter passes(struct dirty_track *track, uintptr_t addr,
				 uintptr_t end, const struct flusher *flusher)
{
	enum stats_counter answer = pass(&protect, addr, end, flusher);

	if (answer == STATS_TRACKED)
		answer = pass(&unprotected, addr, end, flusher);
	if (answer == STATS_WHOLE_UNTRACKED)
		stop(track, STATS_STOPPED_FAILED);
	if (answer == STATS_TRACKED && under_way(track) != 1)
		answer = STATS_WHOLE_BUSY;
	return answer;
}

enum stats_counter dirty_flush(struct dirty_sync *sync, uintptr_t addr,
			       uintptr_t end, dirty_flush_fn flush,
			       void *context)
{
	const struct flusher flusher = { flush, context };
	struct dirty_track *track = find(addr, end);
	enum stats_counter answer = STATS_WHOLE_UNTRACKED;

	if (track) {
		sync->track = track;
		/* Before anything is protected. Pairs with under_way. */
		atomic_fetch_add(&track->begun, 1);
		answer = under_way(track) == 1
			 ? passes(track, addr, end, &flusher)
			 : STATS_WHOLE_BUSY;
	}
	if (answer != STATS_TRACKED && answer != STATS_KERNEL_OVERTAKEN &&
	    !flush(context, addr, end))
		answer = STATS_KERNEL_OVERTAKEN;
	return answer;
}

void dirty_done(struct dirty_sync *sync)
{
	struct dirty_track *track = sync->track;

	sync->track = NULL;
	if (track)
		atomic_fetch_add(&track->ended, 1);
}
