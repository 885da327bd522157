/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * file.c: records of files, in a fixed table.
 *
 * Design: the descriptor is O_PATH, because closing any other descriptor of a
 * file drops the process's POSIX locks on it; it sits high, because programs
 * count on the lowest free number; and it is believed only while device and
 * inode agree, because the program may close it and reuse the number. There
 * are few of them, because the program's limit on descriptors is its own.
 *
 * What the file looked like is kept as two digests, each read and written by
 * one access: no lock, nothing half-written after a siglongjmp. They are
 * salted with the record's generation, so that a late file_synced for the
 * record's previous owner never fits its next one.
 */
#include "shim/file.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "shim/descriptor.h"
#include "shim/own.h"
#include "shim/registry.h"
#include "shim/sys.h"

enum { FILES_MAX = 1024 };

/* Where the commit page lies: in any file system's range, behind any data. */
#define COMMIT_OFFSET	((off_t)1 << 43)

struct file {
	_Atomic uint64_t dev;
	_Atomic uint64_t ino;
	_Atomic uint64_t generation;
	_Atomic uintptr_t commit_page;
	_Atomic uint64_t synced_shape;
	_Atomic uint64_t synced_stamp;
	_Atomic uint64_t synced_size;
	size_t references;	/* 0: free; the writers' own */
	_Atomic int fd;
	enum dax_domain domain;	/* the writers' own */
};

static struct file files[FILES_MAX];
static _Atomic size_t ever_used;	/* records from here on are untouched */
static size_t in_use;

/* Calls that shorten a file and are under way. One that a siglongjmp or a
 * cancellation left stays counted: slow from there on, and never wrong. */
static _Atomic unsigned int shortening;

static uint64_t get(const _Atomic uint64_t *field)
{
	return atomic_load_explicit(field, memory_order_acquire);
}

static void set(_Atomic uint64_t *field, uint64_t value)
{
	atomic_store_explicit(field, value, memory_order_release);
}

/* An O_PATH descriptor of what fd is, placed high. -1 when it cannot be. */
static int keep_descriptor(int fd, const struct dax_info *info)
{
	struct stat st;
	char path[64];
	int high;

	if ((long)in_use >= descriptor_budget())
		return -1;
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", fd);
	high = descriptor_raise(sys_open(path, O_PATH | O_CLOEXEC, 0));
	if (high >= 0 && !descriptor_leads_to(high, info->dev, info->ino, &st)) {
		sys_close(high);
		high = -1;
	}
	return high;
}

/* Only what is still ours: O_PATH and the same file. */
static void drop_descriptor(const struct file *file)
{
	int fd = atomic_load_explicit(&file->fd, memory_order_relaxed);
	struct stat st;
	int flags = sys_fcntl(fd, F_GETFL, 0);

	if (flags >= 0 && (flags & O_PATH) &&
	    descriptor_leads_to(fd, get(&file->dev), get(&file->ino), &st))
		sys_close(fd);
}

/* Readable only so that memcheck takes no offence; nobody reads it. */
static void map_commit_page(struct file *file, int fd)
{
	void *page = sys_mmap(own_place(REGISTRY_PAGE), REGISTRY_PAGE,
			      PROT_READ, MAP_SHARED, fd, COMMIT_OFFSET);

	atomic_store_explicit(&file->commit_page,
			      page == MAP_FAILED ? 0 : (uintptr_t)page,
			      memory_order_release);
}

static struct file *find_record(const struct dax_info *info)
{
	struct file *unused = NULL;

	for (size_t i = 0; i < ever_used; i++) {
		struct file *file = &files[i];

		if (file->references == 0)
			unused = unused ? unused : file;
		else if (get(&file->dev) == info->dev &&
			 get(&file->ino) == info->ino)
			return file;
	}
	if (!unused && ever_used < FILES_MAX)
		unused = &files[ever_used++];
	return unused;
}

static bool fill_record(struct file *file, int fd, const struct dax_info *info)
{
	int kept = keep_descriptor(fd, info);

	if (kept < 0)
		return false;
	set(&file->generation, get(&file->generation) + 1);
	set(&file->dev, info->dev);
	set(&file->ino, info->ino);
	set(&file->synced_shape, 0);
	set(&file->synced_stamp, 0);
	set(&file->synced_size, 0);
	atomic_store_explicit(&file->fd, kept, memory_order_release);
	file->domain = dax_domain(fd, info, "/sys");
	in_use++;
	return true;
}

/* The program closed it; here is a descriptor to make another one from. */
static void renew_descriptor(struct file *file, int fd,
			     const struct dax_info *info)
{
	struct stat st;
	int kept = atomic_load_explicit(&file->fd, memory_order_relaxed);

	if (descriptor_leads_to(kept, info->dev, info->ino, &st))
		return;
	kept = keep_descriptor(fd, info);
	atomic_store_explicit(&file->fd, kept, memory_order_release);
}

struct file *file_get(int fd, const struct dax_info *info, bool writable)
{
	struct file *file = find_record(info);

	if (!file || (file->references == 0 && !fill_record(file, fd, info)))
		return NULL;
	renew_descriptor(file, fd, info);
	if (writable && file->commit_page == 0)
		map_commit_page(file, fd);
	return file_ref(file);
}

struct file *file_ref(struct file *file)
{
	file->references++;
	return file;
}

void file_put(struct file *file)
{
	uintptr_t page;

	if (--file->references > 0)
		return;
	/* Forgotten first: a child forked in between must not believe it. */
	page = atomic_exchange_explicit(&file->commit_page, 0,
					memory_order_acq_rel);
	if (page)
		sys_munmap((void *)page, REGISTRY_PAGE);
	drop_descriptor(file);
	in_use--;
}

enum dax_domain file_domain(const struct file *file)
{
	return file->domain;
}

/* The finalizer of MurmurHash3 (public domain), a bijection on 64 bits. */
static uint64_t mix(uint64_t h, uint64_t more)
{
	h ^= more;
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdu;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53u;
	h ^= h >> 33;
	return h;
}

/* Bit 0 is kept free; the result is never 0. */
static uint64_t digest(const struct file *file, uint64_t a, uint64_t b)
{
	uint64_t h = mix(mix(mix(get(&file->generation), 1), a), b);

	return (h & ~(uint64_t)1) ? (h & ~(uint64_t)1) : 2;
}

/*
 * A ctime is trusted when the clock that stamps inodes (current_time() reads
 * the coarse real-time clock) had already left it behind: any later change
 * must then stamp differently. A stamp without nanoseconds may come from an
 * inode that keeps none (ext4 with 128-byte inodes); the clock must then have
 * reached another second, and two are taken for good measure.
 */
static bool is_settled(const struct timespec *clock, const struct timespec *t)
{
	if (t->tv_nsec == 0)
		return clock->tv_sec - t->tv_sec >= 2;
	return t->tv_sec < clock->tv_sec ||
	       (t->tv_sec == clock->tv_sec && t->tv_nsec < clock->tv_nsec);
}

static enum file_verdict compare(const struct file *file,
				 const struct file_look *look)
{
	if (get(&file->synced_shape) != look->shape)
		return FILE_CHANGED;
	return get(&file->synced_stamp) == (look->stamp | 1) ? FILE_SAME
							      : FILE_TOUCHED;
}

/* clock: read before the call, or NULL when ctime need not be trusted. */
static void look_once(const struct file *file, const struct timespec *clock,
		      struct file_look *look)
{
	int fd = atomic_load_explicit(&file->fd, memory_order_acquire);
	struct stat st;

	if (!descriptor_leads_to(fd, get(&file->dev), get(&file->ino),
				 &st)) {
		look->verdict = FILE_LOST;
		return;
	}
	look->size = (uint64_t)st.st_size;
	look->shape = digest(file, (uint64_t)st.st_size,
			     (uint64_t)st.st_blocks);
	look->stamp = digest(file, (uint64_t)st.st_ctim.tv_sec,
			     (uint64_t)st.st_ctim.tv_nsec);
	if (clock && is_settled(clock, &st.st_ctim))
		look->stamp |= 1;
	look->verdict = compare(file, look);
	if (look->verdict == FILE_SAME)
		look->stamp |= 1;	/* as the one it was compared with */
}

static void look_twice(const struct file *file, struct file_look *look)
{
	struct timespec clock;

	look_once(file, NULL, look);
	if (look->verdict == FILE_SAME || look->verdict == FILE_LOST)
		return;
	if (sys_clock(CLOCK_REALTIME_COARSE, &clock) == 0)
		look_once(file, &clock, look);
}

void file_look(const struct file *file, struct file_look *look)
{
	/*
	 * Before the look: if nobody is shortening by then, either the size is
	 * one that lasts, or whoever begins now moves the epoch that the flush
	 * compares. Pairs with the increment in file_shorten_begin.
	 */
	bool stable = atomic_load_explicit(&shortening,
					   memory_order_seq_cst) == 0;

	look_twice(file, look);
	if (!stable && look->verdict != FILE_LOST)
		look->verdict = FILE_CHANGED;
}

void file_shorten_begin(void)
{
	/* Pairs with the load in file_look. */
	atomic_fetch_add_explicit(&shortening, 1, memory_order_seq_cst);
}

void file_shorten_end(void)
{
	atomic_fetch_sub_explicit(&shortening, 1, memory_order_seq_cst);
}

void file_after_fork(void)
{
	atomic_store_explicit(&shortening, 0, memory_order_relaxed);
}

void file_synced(struct file *file, const struct file_look *look)
{
	set(&file->synced_shape, look->shape);
	set(&file->synced_stamp, look->stamp);
	set(&file->synced_size, look->size);
}

uint64_t file_synced_size(const struct file *file)
{
	return get(&file->synced_size);
}

static uintptr_t commit_page(const struct file *file)
{
	return atomic_load_explicit(&file->commit_page, memory_order_acquire);
}

bool file_commit(const struct file *file)
{
	uintptr_t page = commit_page(file);

	/* Still ours afterwards, or something else was synced. */
	return page && sys_msync((void *)page, REGISTRY_PAGE, MS_SYNC) == 0 &&
	       commit_page(file) == page;
}

static bool page_lies_in(const struct file *file, uintptr_t addr,
			 uintptr_t end)
{
	uintptr_t page = commit_page(file);

	return page && page < end && page + REGISTRY_PAGE > addr;
}

bool file_page_within(uintptr_t addr, uintptr_t end)
{
	size_t n = atomic_load_explicit(&ever_used, memory_order_acquire);

	for (size_t i = 0; i < n; i++)
		if (page_lies_in(&files[i], addr, end))
			return true;
	return false;
}

void file_forget_pages(uintptr_t addr, uintptr_t end)
{
	for (size_t i = 0; i < ever_used; i++)
		if (page_lies_in(&files[i], addr, end))
			atomic_store_explicit(&files[i].commit_page, 0,
					      memory_order_release);
}
