/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One function for each line of symbols.def: a symbol without one does not
 * compile. Each is called from a constructor, from main and from a destructor.
 */
#include "t_preload.h"

#include <sys/prctl.h>

#define N 64
#define W (N / sizeof(wchar_t))

#define SYMBOL(result, name, parameters, next) result name parameters;
#include "shim/symbols.def"
#undef SYMBOL

/* area: four pages for the mapping calls; d: N bytes to write, s: to read. */
static char *area, *d, *s;

#define CALL(name, ...) static int call_##name(void) { __VA_ARGS__ }
#define ZERO	(memchr(d, 1, N) == NULL && d[0] == 0 && d[N - 1] == 0)
#define SAME	(memcmp(d, s, N) == 0)
#define WD	((wchar_t *)(void *)d)
#define WS	((wchar_t *)(void *)s)
#define SETS	(WD[0] == 9 && WD[W - 1] == 9)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)

CALL(mmap, char *p = mmap(NULL, N, T_RW, ANON, -1, 0);
     return p != MAP_FAILED && p[0] == 0 && munmap(p, N) == 0;)
CALL(mmap64, char *p = mmap64(NULL, N, T_RW, ANON, -1, 0);
     return p != MAP_FAILED && p[0] == 0 && munmap(p, N) == 0;)
CALL(munmap, errno = 0; return munmap(area + 1, N) == -1 && errno == EINVAL;)
CALL(mremap, char *p = mmap(NULL, N, T_RW, ANON, -1, 0); p[5] = 6;
     p = mremap(p, T_PAGE, 3 * T_PAGE, MREMAP_MAYMOVE);
     return p != MAP_FAILED && p[5] == 6 && p[2 * T_PAGE] == 0 &&
	    munmap(p, 3 * T_PAGE) == 0;)
CALL(mprotect, return mprotect(area, N, PROT_READ) == 0 &&
	    mprotect(area, N, T_RW) == 0 && (area[0] = 3);)
CALL(pkey_mprotect, return pkey_mprotect(area, N, T_RW, -1) == 0;)
CALL(madvise, return madvise(area, N, MADV_NORMAL) == 0 &&
	    madvise(area, N, 12345) == -1 && errno == EINVAL;)
CALL(shmat, int id = shmget(IPC_PRIVATE, N, 0600); char *p = shmat(id, NULL, 0);
     shmctl(id, IPC_RMID, NULL);
     return p != (char *)-1 && p[0] == 0 && shmdt(p) == 0;)
CALL(remap_file_pages, errno = 0;
     return remap_file_pages(area + 1, N, 1, 0, 0) == -1 && errno == EINVAL;)
CALL(mlock, return mlock(area, N) == 0 && munlock(area, N) == 0;)
CALL(mlock2, return mlock2(area, N, MLOCK_ONFAULT) == 0 && munlock(area, N) == 0;)
CALL(mlockall, errno = 0; return mlockall(0x80) == -1 && errno == EINVAL;)
CALL(msync, return msync(area, N, MS_SYNC) == 0 &&
	    msync(area, N, 8) == -1 && errno == EINVAL;)
#define TEMPORARY open("/dev/shm", O_TMPFILE | O_RDWR, 0600)
CALL(ftruncate, int fd = TEMPORARY; return ftruncate(fd, N) == 0 &&
	    lseek(fd, 0, SEEK_END) == N && ftruncate(fd, -1) == -1 &&
	    errno == EINVAL && close(fd) == 0;)
CALL(ftruncate64, int fd = TEMPORARY; return ftruncate64(fd, N) == 0 &&
	    lseek(fd, 0, SEEK_END) == N && ftruncate64(-1, 0) == -1 &&
	    errno == EBADF && close(fd) == 0;)
CALL(truncate, int fd = TEMPORARY; char name[32];
     snprintf(name, 32, "/proc/self/fd/%d", fd);
     return truncate(name, N) == 0 && lseek(fd, 0, SEEK_END) == N &&
	    truncate("", 0) == -1 && errno == ENOENT && close(fd) == 0;)
CALL(truncate64, int fd = TEMPORARY; char name[32];
     snprintf(name, 32, "/proc/self/fd/%d", fd);
     return truncate64(name, N) == 0 && lseek(fd, 0, SEEK_END) == N &&
	    truncate64("", 0) == -1 && errno == ENOENT && close(fd) == 0;)
CALL(fallocate, int fd = TEMPORARY; return fallocate(fd, 0, 0, N) == 0 &&
	    lseek(fd, 0, SEEK_END) == N && fallocate(fd, 0, 0, 0) == -1 &&
	    errno == EINVAL && close(fd) == 0;)
CALL(fallocate64, int fd = TEMPORARY; return fallocate64(fd, 0, 5, N) == 0 &&
	    lseek(fd, 0, SEEK_END) == N + 5 && fallocate64(-1, 0, 0, 1) == -1 &&
	    errno == EBADF && close(fd) == 0;)
CALL(posix_fallocate, int fd = TEMPORARY; errno = 0;
     return posix_fallocate(fd, 0, N) == 0 && lseek(fd, 0, SEEK_END) == N &&
	    posix_fallocate(fd, 0, 0) == EINVAL && errno == 0 && close(fd) == 0;)
CALL(posix_fallocate64, int fd = TEMPORARY;
     return posix_fallocate64(fd, 5, N) == 0 &&
	    lseek(fd, 0, SEEK_END) == N + 5 &&
	    posix_fallocate64(-1, 0, 1) == EBADF && close(fd) == 0;)
CALL(prctl, char name[16]; return prctl(PR_SET_NAME, "symbols", 0, 0, 0) == 0 &&
	    prctl(PR_GET_NAME, name) == 0 && !strcmp(name, "symbols") &&
	    prctl(-1, 0, 0, 0, 0) == -1 && errno == EINVAL;)
CALL(memcpy, return memcpy(d, s, N) == d && SAME;)
CALL(memmove, memcpy(d, s, N); return memmove(d + 8, d, N) == d + 8 &&
	    memcmp(d + 8, s, N) == 0 && memcmp(d, s, 8) == 0;)
CALL(mempcpy, return mempcpy(d, s, N) == d + N && SAME;)
CALL(__mempcpy, return __mempcpy(d, s, N) == d + N && SAME;)
CALL(memset, return memset(d, 0, N) == d && ZERO && memset(d, 511, N) == d &&
	    d[0] == -1 && d[N - 1] == -1;)
CALL(bcopy, bcopy(s, d, N); return SAME;)
CALL(bzero, bzero(d, N); return ZERO;)
CALL(__bzero, __bzero(d, N); return ZERO;)
CALL(explicit_bzero, explicit_bzero(d, N); return ZERO;)
CALL(wmemcpy, return wmemcpy(WD, WS, W) == WD && SAME;)
CALL(wmemmove, return wmemmove(WD, WS, W) == WD && SAME;)
CALL(wmempcpy, return wmempcpy(WD, WS, W) == WD + W && SAME;)
CALL(wmemset, return wmemset(WD, 9, W) == WD && SETS;)
CALL(__memcpy_chk, return __memcpy_chk(d, s, N, N) == d && SAME;)
CALL(__memmove_chk, return __memmove_chk(d, s, N, N) == d && SAME;)
CALL(__mempcpy_chk, return __mempcpy_chk(d, s, N, N) == d + N && SAME;)
CALL(__memset_chk, return __memset_chk(d, 0, N, N) == d && ZERO;)
CALL(__explicit_bzero_chk, __explicit_bzero_chk(d, N, N); return ZERO;)
CALL(__wmemcpy_chk, return __wmemcpy_chk(WD, WS, W, W) == WD && SAME;)
CALL(__wmemmove_chk, return __wmemmove_chk(WD, WS, W, W) == WD && SAME;)
CALL(__wmempcpy_chk, return __wmempcpy_chk(WD, WS, W, W) == WD + W && SAME;)
CALL(__wmemset_chk, return __wmemset_chk(WD, 9, W, W) == WD && SETS;)

static const struct {
	const char *name;
	int (*call)(void);
	void *address;
} calls[] = {
#define SYMBOL(result, name, parameters, next) \
	{ #name, call_##name, (void *)name },
#include "shim/symbols.def"
#undef SYMBOL
};

void symbols_call(const char *stage, char *the_area, char *work);
void symbols_call(const char *stage, char *the_area, char *work)
{
	static char from[N];
	Dl_info info;

	area = the_area;
	d = work;
	s = from;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		for (size_t k = 0; k < 2 * N; k++)
			d[k] = 1;
		for (size_t k = 0; k < N; k++)
			s[k] = (char)(k + 3);
		printf("%s %s %s\n", stage, calls[i].name,
		       calls[i].call() ? "right" : "WRONG");
		if (dladdr(calls[i].address, &info))
			printf("%s %s interposed %d\n", stage, calls[i].name,
			       strstr(info.dli_fname, "pmemshim") != NULL);
	}
	fflush(stdout);
}

/* Memory without help of anything interposed. */
static char static_area[4 * T_PAGE] __attribute__((aligned(4096)));
static char static_work[2 * N] __attribute__((aligned(64)));

__attribute__((constructor)) static void first(void)
{
	dprintf(1, "constructor first\n");
	symbols_call("constructor", static_area, static_work);
}

__attribute__((destructor)) static void last(void)
{
	symbols_call("destructor", static_area, static_work);
}
