/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * t_preload.h: what the small programs of tests/preload share.
 *
 * Programs open files under $T_FILES (covered by the shim's rule) and
 * $T_OUTSIDE (not covered). They are built with -O0 -fno-builtin: each call
 * that is written is made.
 */
#ifndef T_PRELOAD_H
#define T_PRELOAD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#define T_PAGE	((size_t)4096)
#define T_RW	(PROT_READ | PROT_WRITE)
#define T_UNUSED __attribute__((unused))
#define T_ERRNO	77	/* stands in errno before each call: success keeps it */

/* The call as it is written, its result and errno, on one line. */
#define SAY(call)							\
	do {								\
		long t_result;						\
		errno = T_ERRNO;					\
		t_result = (long)(call);				\
		t_show(#call, t_result, errno);				\
	} while (0)

/* As SAY, for calls whose result is an address: only success is shown. */
#define SAY_MAP(where, call)						\
	do {								\
		errno = T_ERRNO;					\
		(where) = (call);					\
		t_show(#call, (where) == MAP_FAILED ? -1 : 0, errno);	\
	} while (0)

#define T_REQUIRE(what)							\
	do {								\
		if (!(what))						\
			t_die(#what, __LINE__);				\
	} while (0)

T_UNUSED static void t_show(const char *call, long result, int error)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "%s = %ld errno %d\n", call,
			 result, error);

	if (write(1, line, (size_t)n) != n)
		_exit(99);
}

T_UNUSED __attribute__((noreturn)) static void t_die(const char *what, int line)
{
	dprintf(2, "line %d: %s: errno %d\n", line, what, errno);
	_exit(98);
}

/* Long enough for the clock that stamps inodes to move on. */
T_UNUSED static void t_tick(void)
{
	usleep(30000);
}

T_UNUSED static int t_open_in(const char *variable, const char *name,
			      size_t size)
{
	const char *dir = getenv(variable);
	char path[4096];
	char page[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : ".", name);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	T_REQUIRE(fd >= 0);
	memset(page, 1, sizeof(page));
	for (size_t done = 0; done < size;) {
		size_t n = size - done < sizeof(page) ? size - done
						      : sizeof(page);

		T_REQUIRE(pwrite(fd, page, n, (off_t)done) == (ssize_t)n);
		done += n;
	}
	return fd;
}

/* A file under the rule, with every block written. */
T_UNUSED static int t_open(const char *name, size_t size)
{
	return t_open_in("T_FILES", name, size);
}

T_UNUSED static int t_open_outside(const char *name, size_t size)
{
	return t_open_in("T_OUTSIDE", name, size);
}

/*
 * A shared mapping of fd, every page touched and a tick passed: on tmpfs no
 * later store moves ctime.
 */
T_UNUSED static char *t_map(int fd, size_t len)
{
	char *p = mmap(NULL, len, T_RW, MAP_SHARED, fd, 0);

	T_REQUIRE(p != MAP_FAILED);
	for (size_t i = 0; i < len; i += T_PAGE)
		((volatile char *)p)[i] = 1;
	t_tick();
	return p;
}

/* As t_map, and the first call, which is the kernel's, is over. */
T_UNUSED static char *t_map_synced(int fd, size_t len)
{
	char *p = t_map(fd, len);

	T_REQUIRE(msync(p, len, MS_SYNC) == 0);
	return p;
}

/* Run in a forked child; its exit status, or 1000 + the signal. */
T_UNUSED static int t_wait(pid_t child)
{
	int status;

	T_REQUIRE(child > 0 && waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 1000 + WTERMSIG(status);
}

#endif
