/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * marks.c: preloaded before the shim, or alone: marks each msync from outside,
 * so that every column has the same calls to divide by.
 *
 *	SYNCERS_DIR	where the mapped files are
 *	SYNCERS_SMAPS	/proc/self/smaps is copied there at the 100th msync
 *	SYNCERS_COLUMN	only say that a new column begins
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "marks.h"

#define SMAPS_AT 100

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
void *mmap64(void *addr, size_t len, int prot, int flags, int fd,
	     off_t offset);
int msync(void *addr, size_t len, int flags);

static void *(*next_mmap)(void *, size_t, int, int, int, off_t);
static int (*next_msync)(void *, size_t, int);
static atomic_bool begun;
static atomic_uint acked;
static dev_t device;

static void bind_next(void)
{
	*(void **)&next_mmap = dlsym(RTLD_NEXT, "mmap");
	*(void **)&next_msync = dlsym(RTLD_NEXT, "msync");
}

__attribute__((constructor)) static void start(void)
{
	const char *dir = getenv("SYNCERS_DIR");
	struct stat st;

	if (getenv("SYNCERS_COLUMN"))
		MARK(MARK_COLUMN);
	if (!next_msync)
		bind_next();
	if (dir && stat(dir, &st) == 0)
		device = st.st_dev;
}

static bool is_data(int prot, int flags, int fd)
{
	struct stat st;

	return fd >= 0 && prot & PROT_WRITE && flags & MAP_SHARED &&
	       fstat(fd, &st) == 0 && st.st_dev == device;
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	if (!next_mmap)
		bind_next();
	if (!begun && is_data(prot, flags, fd)) {
		begun = true;
		MARK(MARK_BEGIN);
	}
	return next_mmap(addr, len, prot, flags, fd, offset);
}

void *mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	return mmap(addr, len, prot, flags, fd, offset);
}

static void copy_smaps(const char *to)
{
	int in = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	char buffer[4096];
	ssize_t n;

	while (in >= 0 && out >= 0 && (n = read(in, buffer, sizeof(buffer))) > 0)
		if (write(out, buffer, (size_t)n) != n)
			break;
	close(in);
	close(out);
}

int msync(void *addr, size_t len, int flags)
{
	const char *smaps;
	int result;

	MARK(MARK_ENTER);
	result = next_msync(addr, len, flags);
	if (result || !(flags & MS_SYNC)) {
		MARK(MARK_OTHER);
		return result;
	}
	MARK(MARK_ACK);
	if (++acked == SMAPS_AT && (smaps = getenv("SYNCERS_SMAPS"))) {
		MARK(MARK_PAUSE);
		copy_smaps(smaps);
		MARK(MARK_RESUME);
	}
	return result;
}
