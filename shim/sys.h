/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sys.h: the system calls that the shim makes for itself.
 *
 * Design: not libc's wrappers, because those are what other preloaded
 * libraries replace (libfaketime rewrites time stamps, socket_wrapper follows
 * descriptors), because some of them are cancellation points, and because
 * fstat(2) is cheaper than the newfstatat(2) that glibc makes of it.
 *
 * All may run in a signal handler. They return -1 and set errno on failure;
 * callers at the boundary restore errno.
 */
#ifndef PMEMSHIM_SYS_H
#define PMEMSHIM_SYS_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static inline int sys_open(const char *path, int flags, mode_t mode)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static inline int sys_close(int fd)
{
	return (int)syscall(SYS_close, fd);
}

static inline ssize_t sys_read(int fd, void *buf, size_t len)
{
	return syscall(SYS_read, fd, buf, len);
}

static inline ssize_t sys_write(int fd, const void *buf, size_t len)
{
	return syscall(SYS_write, fd, buf, len);
}

static inline int sys_fallocate(int fd, off_t offset, off_t len)
{
	return (int)syscall(SYS_fallocate, fd, 0, offset, len);
}

static inline int sys_unlink(const char *path)
{
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

static inline int sys_fcntl(int fd, int command, long argument)
{
	return (int)syscall(SYS_fcntl, fd, command, argument);
}

static inline int sys_ioctl(int fd, unsigned long request, void *argument)
{
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

static inline int sys_fstat(int fd, struct stat *st)
{
	return (int)syscall(SYS_fstat, fd, st);
}

static inline int sys_statx(int fd, const char *path, int flags,
			    unsigned int mask, struct statx *stx)
{
	return (int)syscall(SYS_statx, fd, path, flags, mask, stx);
}

static inline ssize_t sys_readlink(const char *path, char *buf, size_t len)
{
	return syscall(SYS_readlinkat, AT_FDCWD, path, buf, len);
}

static inline long sys_getdents(int fd, void *buf, size_t len)
{
	return syscall(SYS_getdents64, fd, buf, len);
}

static inline void *sys_mmap(void *addr, size_t len, int prot, int flags,
			     int fd, off_t offset)
{
	return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
}

static inline int sys_munmap(void *addr, size_t len)
{
	return (int)syscall(SYS_munmap, addr, len);
}

static inline int sys_madvise(void *addr, size_t len, int advice)
{
	return (int)syscall(SYS_madvise, addr, len, advice);
}

static inline int sys_msync(void *addr, size_t len, int flags)
{
	return (int)syscall(SYS_msync, addr, len, flags);
}

static inline int sys_membarrier(int command)
{
	return (int)syscall(SYS_membarrier, command, 0, 0);
}

static inline int sys_clock(clockid_t clock, struct timespec *now)
{
	return (int)syscall(SYS_clock_gettime, clock, now);
}

static inline int sys_usage(int who, struct rusage *usage)
{
	return (int)syscall(SYS_getrusage, who, usage);
}

/* Of the process so far, minor and major; 0 when it does not say. */
static inline uint64_t sys_page_faults(void)
{
	struct rusage usage;

	if (sys_usage(RUSAGE_SELF, &usage))
		return 0;
	return (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
}

/* GRND_NONBLOCK; fewer bytes than asked for when there are not enough yet. */
static inline ssize_t sys_random(void *buf, size_t len)
{
	return syscall(SYS_getrandom, buf, len, 1);
}

#endif
