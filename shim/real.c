/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * real.c: stand-ins for libc, and the binding that replaces them.
 *
 * Concurrency: real_bind writes each pointer once while the process may
 * already have threads of other libraries' constructors. Aligned pointer
 * stores are indivisible on every supported CPU, and old and new value are
 * equally correct.
 */
#include "shim/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/compiler.h"
#include "shim/log.h"

static void *standin_memmove(void *dst, const void *src, size_t n)
{
	unsigned char *d = dst;
	const unsigned char *s = src;

	if ((uintptr_t)d - (uintptr_t)s >= n)
		for (size_t i = 0; i < n; i++)
			d[i] = s[i];
	else
		while (n--)
			d[n] = s[n];
	return dst;
}

static void *standin_mempcpy(void *dst, const void *src, size_t n)
{
	return (char *)standin_memmove(dst, src, n) + n;
}

static void *standin_memset(void *dst, int c, size_t n)
{
	unsigned char *d = dst;

	for (size_t i = 0; i < n; i++)
		d[i] = (unsigned char)c;
	return dst;
}

static void standin_bcopy(const void *src, void *dst, size_t n)
{
	standin_memmove(dst, src, n);
}

static void standin_bzero(void *dst, size_t n)
{
	standin_memset(dst, 0, n);
}

static wchar_t *standin_wmemmove(wchar_t *dst, const wchar_t *src, size_t n)
{
	return standin_memmove(dst, src, n * sizeof(wchar_t));
}

static wchar_t *standin_wmempcpy(wchar_t *dst, const wchar_t *src, size_t n)
{
	return standin_wmemmove(dst, src, n) + n;
}

static wchar_t *standin_wmemset(wchar_t *dst, wchar_t c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = c;
	return dst;
}

/* What libc's __chk_fail does, for a program that overflows this early. */
static void require_room(size_t n, size_t room)
{
	if (n > room)
		abort();
}

static void *standin_memmove_chk(void *dst, const void *src, size_t n,
				 size_t room)
{
	require_room(n, room);
	return standin_memmove(dst, src, n);
}

static void *standin_mempcpy_chk(void *dst, const void *src, size_t n,
				 size_t room)
{
	require_room(n, room);
	return standin_mempcpy(dst, src, n);
}

static void *standin_memset_chk(void *dst, int c, size_t n, size_t room)
{
	require_room(n, room);
	return standin_memset(dst, c, n);
}

static void standin_bzero_chk(void *dst, size_t n, size_t room)
{
	require_room(n, room);
	standin_bzero(dst, n);
}

static wchar_t *standin_wmemmove_chk(wchar_t *dst, const wchar_t *src,
				     size_t n, size_t room)
{
	require_room(n, room);
	return standin_wmemmove(dst, src, n);
}

static wchar_t *standin_wmempcpy_chk(wchar_t *dst, const wchar_t *src,
				     size_t n, size_t room)
{
	require_room(n, room);
	return standin_wmempcpy(dst, src, n);
}

static wchar_t *standin_wmemset_chk(wchar_t *dst, wchar_t c, size_t n,
				    size_t room)
{
	require_room(n, room);
	return standin_wmemset(dst, c, n);
}

static void *standin_mmap(void *addr, size_t len, int prot, int flags, int fd,
			  off_t offset)
{
	return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
}

static int standin_munmap(void *addr, size_t len)
{
	return (int)syscall(SYS_munmap, addr, len);
}

static void *standin_mremap(void *old, size_t old_len, size_t new_len,
			    int flags, ...)
{
	void *new = NULL;
	va_list ap;

	/* Callers inside the shim always pass the fifth argument. */
	va_start(ap, flags);
	new = va_arg(ap, void *);
	va_end(ap);
	return (void *)syscall(SYS_mremap, old, old_len, new_len, flags, new);
}

static int standin_mprotect(void *addr, size_t len, int prot)
{
	return (int)syscall(SYS_mprotect, addr, len, prot);
}

static int standin_pkey_mprotect(void *addr, size_t len, int prot, int pkey)
{
	/* As glibc: without a key it is mprotect, which every kernel has. */
	if (pkey == -1)
		return standin_mprotect(addr, len, prot);
	return (int)syscall(SYS_pkey_mprotect, addr, len, prot, pkey);
}

static int standin_madvise(void *addr, size_t len, int advice)
{
	return (int)syscall(SYS_madvise, addr, len, advice);
}

static void *standin_shmat(int id, const void *addr, int flags)
{
	return (void *)syscall(SYS_shmat, id, addr, flags);
}

static int standin_remap_file_pages(void *addr, size_t len, int prot,
				    size_t page, int flags)
{
	return (int)syscall(SYS_remap_file_pages, addr, len, prot, page, flags);
}

static int standin_mlock(const void *addr, size_t len)
{
	return (int)syscall(SYS_mlock, addr, len);
}

static int standin_mlock2(const void *addr, size_t len, unsigned int flags)
{
	if (flags == 0)
		return standin_mlock(addr, len);
	return (int)syscall(SYS_mlock2, addr, len, flags);
}

static int standin_mlockall(int flags)
{
	return (int)syscall(SYS_mlockall, flags);
}

static int standin_msync(void *addr, size_t len, int flags)
{
	return (int)syscall(SYS_msync, addr, len, flags);
}

static int standin_ftruncate(int fd, off_t len)
{
	return (int)syscall(SYS_ftruncate, fd, len);
}

static int standin_truncate(const char *path, off_t len)
{
	return (int)syscall(SYS_truncate, path, len);
}

static int standin_fallocate(int fd, int mode, off_t offset, off_t len)
{
	return (int)syscall(SYS_fallocate, fd, mode, offset, len);
}

/* Where the file system has none, libc writes; before main() nobody does. */
static int standin_posix_fallocate(int fd, off_t offset, off_t len)
{
	int saved = errno;
	int error = standin_fallocate(fd, 0, offset, len) ? errno : 0;

	errno = saved;
	return error;
}

static int standin_prctl(int option, ...)
{
	unsigned long arguments[4];
	va_list ap;

	/* Callers inside the shim always pass four more. */
	va_start(ap, option);
	for (size_t i = 0; i < ARRAY_LEN(arguments); i++)
		arguments[i] = va_arg(ap, unsigned long);
	va_end(ap);
	return (int)syscall(SYS_prctl, option, arguments[0], arguments[1],
			    arguments[2], arguments[3]);
}

struct real real = {
	.mmap = standin_mmap,
	.mmap64 = standin_mmap,
	.munmap = standin_munmap,
	.mremap = standin_mremap,
	.mprotect = standin_mprotect,
	.pkey_mprotect = standin_pkey_mprotect,
	.madvise = standin_madvise,
	.shmat = standin_shmat,
	.remap_file_pages = standin_remap_file_pages,
	.mlock = standin_mlock,
	.mlock2 = standin_mlock2,
	.mlockall = standin_mlockall,
	.msync = standin_msync,
	.ftruncate = standin_ftruncate,
	.ftruncate64 = standin_ftruncate,
	.truncate = standin_truncate,
	.truncate64 = standin_truncate,
	.posix_fallocate = standin_posix_fallocate,
	.posix_fallocate64 = standin_posix_fallocate,
	.fallocate = standin_fallocate,
	.fallocate64 = standin_fallocate,
	.prctl = standin_prctl,
	.memcpy = standin_memmove,
	.memmove = standin_memmove,
	.mempcpy = standin_mempcpy,
	.__mempcpy = standin_mempcpy,
	.memset = standin_memset,
	.bcopy = standin_bcopy,
	.bzero = standin_bzero,
	.__bzero = standin_bzero,
	.explicit_bzero = standin_bzero,
	.wmemcpy = standin_wmemmove,
	.wmemmove = standin_wmemmove,
	.wmempcpy = standin_wmempcpy,
	.wmemset = standin_wmemset,
	.__memcpy_chk = standin_memmove_chk,
	.__memmove_chk = standin_memmove_chk,
	.__mempcpy_chk = standin_mempcpy_chk,
	.__memset_chk = standin_memset_chk,
	.__explicit_bzero_chk = standin_bzero_chk,
	.__wmemcpy_chk = standin_wmemmove_chk,
	.__wmemmove_chk = standin_wmemmove_chk,
	.__wmempcpy_chk = standin_wmempcpy_chk,
	.__wmemset_chk = standin_wmemset_chk,
};

static int standin_clock(clockid_t clock, struct timespec *now)
{
	return (int)syscall(SYS_clock_gettime, clock, now);
}

int (*real_clock)(clockid_t clock, struct timespec *now) = standin_clock;

/* Only if it lies in the same object as a function that nobody replaces. */
static void bind_clock(void)
{
	void *next = dlsym(RTLD_NEXT, "clock_gettime");
	Dl_info there, libc;

	if (next && dladdr(next, &there) &&
	    dladdr((const void *)gnu_get_libc_version, &libc) &&
	    there.dli_fbase == libc.dli_fbase)
		*(void **)&real_clock = next;
}

/* slot is one of the function pointers of struct real. */
static void bind(void *slot, const char *name)
{
	void *next = dlsym(RTLD_NEXT, name);

	if (next)
		*(void **)slot = next;
	else
		log_write(LOG_INFO, "%s: not in this libc, built-in one used",
			  name);
}

void real_bind(void)
{
#define SYMBOL(result, name, parameters, next) bind(&real.name, #next);
#include "shim/symbols.def"
#undef SYMBOL
	bind_clock();
}
