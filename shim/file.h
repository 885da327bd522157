/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * file.h: one record for each file with tracked mappings: a descriptor to
 * look at it, and what it looked like when the kernel last synced it.
 *
 * Design: what the kernel's msync does beyond flushing data is to commit the
 * file's metadata. Whether there is any to commit is told by fstat(2). Size
 * and block count alone do not tell: a write(2) into fallocated space turns
 * unwritten extents into written ones, and a truncation refilled by write(2)
 * ends as it began. Each of these moves ctime, so ctime is compared too. It
 * also moves at the first store after the kernel's msync, so for ctime alone
 * the metadata is committed without write-protecting the data again: by an
 * msync of the commit page, a page far behind the file's end that holds
 * nothing dirty (mm/msync.c: every msync of a shared file mapping is a
 * vfs_fsync_range of its file; fs/ext4/fsync.c, fs/xfs/xfs_file.c: the commit
 * covers the inode, only the data is limited to the range).
 *
 * Concurrency: file_get and file_put require registry_lock. The others may
 * run anywhere, signal handlers included, on a record that somebody holds; on
 * a record that was recycled meanwhile their answer is worthless but
 * harmless, which the caller finds out by region_is_current.
 */
#ifndef PMEMSHIM_FILE_H
#define PMEMSHIM_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/dax.h"

struct file;

/*
 * The record of the file behind fd, with one more reference. writable says
 * that fd was mapped with PROT_WRITE, without which there is no commit page.
 * NULL when no record or no descriptor can be had: such a file is left to
 * the kernel.
 */
struct file *file_get(int fd, const struct dax_info *info, bool writable);
struct file *file_ref(struct file *file);
void file_put(struct file *file);

/* The persistence domain read when the record was made. */
enum dax_domain file_domain(const struct file *file);

/* How the file looks now, compared with when the kernel last synced it. */
enum file_verdict {
	FILE_SAME,	/* nothing to commit */
	FILE_TOUCHED,	/* only ctime moved, or cannot be trusted yet */
	FILE_CHANGED,	/* size or block count differ, or never synced */
	FILE_LOST	/* the descriptor does not lead there any more */
};

struct file_look {
	uint64_t size;		/* bytes */
	uint64_t shape;		/* digest of size and blocks */
	uint64_t stamp;		/* digest of ctime; bit 0: can be trusted */
	enum file_verdict verdict;
};

/* One fstat(2), two when there is something to commit. size and the rest are unset when the verdict is FILE_LOST. */
void file_look(const struct file *file, struct file_look *look);

/*
 * The program is about to shorten a file, and has done so. In between every
 * look that is not FILE_LOST says FILE_CHANGED: a size seen now may be less
 * when the pages are flushed. Nests; anywhere, any thread.
 */
void file_shorten_begin(void);
void file_shorten_end(void);

/* In the child of a fork, where nobody is shortening any more. */
void file_after_fork(void);

/*
 * The kernel has synced the file since look was taken: remember look. May be
 * called with a look at a file that has been changed again since.
 */
void file_synced(struct file *file, const struct file_look *look);

/* The file's size when the kernel last synced it; 0 before that. */
uint64_t file_synced_size(const struct file *file);

/* Have the kernel commit the metadata alone. False when it could not. */
bool file_commit(const struct file *file);

/*
 * The program may map over a commit page, or unmap it, taking its address for
 * free: whether one lies in [addr, end), from any thread, and, with the lock
 * held and before the program's call, that those there are its own from now on.
 */
bool file_page_within(uintptr_t addr, uintptr_t end);
void file_forget_pages(uintptr_t addr, uintptr_t end);

#endif
