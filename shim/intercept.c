/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * intercept.c: the exported functions; nothing else is exported.
 *
 * Design: three names, three layers: memcpy (here) -> persist_copy (ours) ->
 * real.memcpy (libc). A copy that is none of ours costs one compare and one
 * indirect jump, so the question about its size comes first and all else is
 * out of line. The parameters of the *_chk functions of fortified programs
 * are checked by libc's own function whenever they would fail.
 *
 * <string.h> and <wchar.h> stay away: with _FORTIFY_SOURCE they define
 * inline functions of these names.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "shim/compiler.h"
#include "shim/mapping.h"
#include "shim/persist.h"
#include "shim/real.h"
#include "shim/sync.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define SYMBOL(result, name, parameters, next) \
	EXPORTED LINE_ALIGNED result name parameters;
#include "shim/symbols.def"
#undef SYMBOL

/*
 * Mappings
 */

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	const struct mapping_request request = { addr, len, prot, flags, fd,
						 offset };

	return mapping_map(&request);
}

void *mmap64(void *addr, size_t len, int prot, int flags, int fd,
	     off64_t offset)
{
	const struct mapping_request request = { addr, len, prot, flags, fd,
						 offset };

	return mapping_map(&request);
}

int munmap(void *addr, size_t len)
{
	return mapping_unmap(addr, len);
}

void *mremap(void *old, size_t old_len, size_t new_len, int flags, ...)
{
	void *new = NULL;

	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
		va_list ap;

		va_start(ap, flags);
		new = va_arg(ap, void *);
		va_end(ap);
	}
	return mapping_remap(old, old_len, new_len, flags, new);
}

int mprotect(void *addr, size_t len, int prot)
{
	return mapping_protect(addr, len, prot);
}

int pkey_mprotect(void *addr, size_t len, int prot, int pkey)
{
	return mapping_protect_key(addr, len, prot, pkey);
}

int madvise(void *addr, size_t len, int advice)
{
	return mapping_advise(addr, len, advice);
}

void *shmat(int id, const void *addr, int flags)
{
	return mapping_attach(id, addr, flags);
}

int remap_file_pages(void *addr, size_t len, int prot, size_t page, int flags)
{
	return mapping_remap_pages(addr, len, prot, page, flags);
}

int mlock(const void *addr, size_t len)
{
	mapping_note_lock();
	return real.mlock(addr, len);
}

int mlock2(const void *addr, size_t len, unsigned int flags)
{
	mapping_note_lock();
	return real.mlock2(addr, len, flags);
}

int mlockall(int flags)
{
	mapping_note_lock();
	return real.mlockall(flags);
}

int msync(void *addr, size_t len, int flags)
{
	return sync_range(addr, len, flags);
}

int ftruncate(int fd, off_t len)
{
	return mapping_truncate(fd, len);
}

int ftruncate64(int fd, off64_t len)
{
	return mapping_truncate(fd, len);
}

int truncate(const char *path, off_t len)
{
	return mapping_truncate_path(path, len);
}

int truncate64(const char *path, off64_t len)
{
	return mapping_truncate_path(path, len);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	return mapping_allocate(fd, mode, offset, len);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t len)
{
	return mapping_allocate(fd, mode, offset, len);
}

int posix_fallocate(int fd, off_t offset, off_t len)
{
	return mapping_allocate_posix(fd, offset, len);
}

int posix_fallocate64(int fd, off64_t offset, off64_t len)
{
	return mapping_allocate_posix(fd, offset, len);
}

/* As libc does it: the kernel knows how many arguments there are. */
int prctl(int option, ...)
{
	unsigned long a, b, c, d;
	va_list ap;

	va_start(ap, option);
	a = va_arg(ap, unsigned long);
	b = va_arg(ap, unsigned long);
	c = va_arg(ap, unsigned long);
	d = va_arg(ap, unsigned long);
	va_end(ap);
	/* Nobody without privileges installs a filter before the first. */
	if (option == PR_SET_NO_NEW_PRIVS || option == PR_SET_SECCOMP)
		mapping_retire();
	return real.prctl(option, a, b, c, d);
}

/*
 * Copies
 */

static inline bool is_small(size_t len)
{
	return likely(len < atomic_load_explicit(&mapping_copy_min,
						 memory_order_relaxed));
}

/* For a number of wide characters, whose size in bytes might overflow. */
static inline bool is_small_wide(size_t n)
{
	return likely(n < atomic_load_explicit(&mapping_copy_min,
					       memory_order_relaxed) /
			  sizeof(wchar_t));
}

/* Whether the copy was ours and has been made. */
static NOINLINE bool copied(void *dst, const void *src, size_t len)
{
	const struct persist_policy *policy = mapping_copy_policy(dst, len);

	if (policy)
		persist_copy(policy, dst, src, len);
	return policy;
}

static NOINLINE bool filled(void *dst, uint32_t pattern, size_t len)
{
	const struct persist_policy *policy = mapping_copy_policy(dst, len);

	if (policy)
		persist_set(policy, dst, pattern, len);
	return policy;
}

static inline bool filled_bytes(void *dst, int c, size_t len)
{
	return filled(dst, (unsigned char)c * UINT32_C(0x01010101), len);
}

static inline bool copied_wide(wchar_t *dst, const wchar_t *src, size_t n)
{
	return n <= SIZE_MAX / sizeof(wchar_t) &&
	       copied(dst, src, n * sizeof(wchar_t));
}

void *memcpy(void *dst, const void *src, size_t len)
{
	if (is_small(len) || !copied(dst, src, len))
		return real.memcpy(dst, src, len);
	return dst;
}

void *memmove(void *dst, const void *src, size_t len)
{
	if (is_small(len) || !copied(dst, src, len))
		return real.memmove(dst, src, len);
	return dst;
}

void *mempcpy(void *dst, const void *src, size_t len)
{
	if (is_small(len) || !copied(dst, src, len))
		return real.mempcpy(dst, src, len);
	return (char *)dst + len;
}

void *__mempcpy(void *dst, const void *src, size_t len)
{
	if (is_small(len) || !copied(dst, src, len))
		return real.__mempcpy(dst, src, len);
	return (char *)dst + len;
}

void *memset(void *dst, int c, size_t len)
{
	if (is_small(len) || !filled_bytes(dst, c, len))
		return real.memset(dst, c, len);
	return dst;
}

void bcopy(const void *src, void *dst, size_t len)
{
	if (is_small(len) || !copied(dst, src, len))
		real.bcopy(src, dst, len);
}

void bzero(void *dst, size_t len)
{
	if (is_small(len) || !filled(dst, 0, len))
		real.bzero(dst, len);
}

void __bzero(void *dst, size_t len)
{
	if (is_small(len) || !filled(dst, 0, len))
		real.__bzero(dst, len);
}

void explicit_bzero(void *dst, size_t len)
{
	if (is_small(len) || !filled(dst, 0, len))
		real.explicit_bzero(dst, len);
}

wchar_t *wmemcpy(wchar_t *dst, const wchar_t *src, size_t n)
{
	if (is_small_wide(n) || !copied_wide(dst, src, n))
		return real.wmemcpy(dst, src, n);
	return dst;
}

wchar_t *wmemmove(wchar_t *dst, const wchar_t *src, size_t n)
{
	if (is_small_wide(n) || !copied_wide(dst, src, n))
		return real.wmemmove(dst, src, n);
	return dst;
}

wchar_t *wmempcpy(wchar_t *dst, const wchar_t *src, size_t n)
{
	if (is_small_wide(n) || !copied_wide(dst, src, n))
		return real.wmempcpy(dst, src, n);
	return dst + n;
}

wchar_t *wmemset(wchar_t *dst, wchar_t c, size_t n)
{
	if (is_small_wide(n) || n > SIZE_MAX / sizeof(wchar_t) ||
	    !filled(dst, (uint32_t)c, n * sizeof(wchar_t)))
		return real.wmemset(dst, c, n);
	return dst;
}

/*
 * Fortified programs. room: what the compiler knows of dst's size.
 */

void *__memcpy_chk(void *dst, const void *src, size_t len, size_t room)
{
	if (is_small(len) || room < len || !copied(dst, src, len))
		return real.__memcpy_chk(dst, src, len, room);
	return dst;
}

void *__memmove_chk(void *dst, const void *src, size_t len, size_t room)
{
	if (is_small(len) || room < len || !copied(dst, src, len))
		return real.__memmove_chk(dst, src, len, room);
	return dst;
}

void *__mempcpy_chk(void *dst, const void *src, size_t len, size_t room)
{
	if (is_small(len) || room < len || !copied(dst, src, len))
		return real.__mempcpy_chk(dst, src, len, room);
	return (char *)dst + len;
}

void *__memset_chk(void *dst, int c, size_t len, size_t room)
{
	if (is_small(len) || room < len || !filled_bytes(dst, c, len))
		return real.__memset_chk(dst, c, len, room);
	return dst;
}

void __explicit_bzero_chk(void *dst, size_t len, size_t room)
{
	if (is_small(len) || room < len || !filled(dst, 0, len))
		real.__explicit_bzero_chk(dst, len, room);
}

wchar_t *__wmemcpy_chk(wchar_t *dst, const wchar_t *src, size_t n, size_t room)
{
	if (is_small_wide(n) || room < n || !copied_wide(dst, src, n))
		return real.__wmemcpy_chk(dst, src, n, room);
	return dst;
}

wchar_t *__wmemmove_chk(wchar_t *dst, const wchar_t *src, size_t n,
			size_t room)
{
	if (is_small_wide(n) || room < n || !copied_wide(dst, src, n))
		return real.__wmemmove_chk(dst, src, n, room);
	return dst;
}

wchar_t *__wmempcpy_chk(wchar_t *dst, const wchar_t *src, size_t n,
			size_t room)
{
	if (is_small_wide(n) || room < n || !copied_wide(dst, src, n))
		return real.__wmempcpy_chk(dst, src, n, room);
	return dst + n;
}

wchar_t *__wmemset_chk(wchar_t *dst, wchar_t c, size_t n, size_t room)
{
	if (is_small_wide(n) || room < n || n > SIZE_MAX / sizeof(wchar_t) ||
	    !filled(dst, (uint32_t)c, n * sizeof(wchar_t)))
		return real.__wmemset_chk(dst, c, n, room);
	return dst;
}
