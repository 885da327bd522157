/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats_open.c: names, and room on the disk, for statistics files.
 *
 * Design: the file will be written through a mapping, where a full disk would
 * be a SIGBUS in the host program. So its room is had first, or the file is
 * removed again.
 */
#include "shim/stats_open.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "shim/compiler.h"
#include "shim/log.h"
#include "shim/sys.h"

/* Names that are tried: one process that executes many programs needs some. */
enum { NAMES_MAX = 1000 };

struct name {
	char path[PATH_MAX];
	size_t len;		/* of what the numbers follow */
	bool in_directory;
};

/* The name with %p replaced; false when it does not fit. */
static bool expand(struct name *name, const char *given)
{
	/* Room for "/pmemshim.PID.NUMBER". */
	const size_t size = sizeof(name->path) - 48;

	name->len = 0;
	for (; *given && name->len < size; given++) {
		if (given[0] != '%' || given[1] != 'p') {
			name->path[name->len++] = *given;
			continue;
		}
		name->len += (size_t)snprintf(name->path + name->len,
					      sizeof(name->path) - name->len,
					      "%d", (int)getpid());
		given++;
	}
	name->path[name->len] = '\0';
	return name->len < size;
}

static mode_t type_of(const char *path)
{
	struct stat st;

	return fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW)
		? 0 : st.st_mode & S_IFMT;
}

static void put_number(struct name *name, unsigned int i)
{
	char *end = name->path + name->len;
	const size_t size = sizeof(name->path) - name->len;
	const char *stem = name->in_directory ? "/pmemshim" : "";
	const int pid = (int)getpid();

	if (i == 0 && !name->in_directory)
		*end = '\0';
	else if (i <= 1)
		snprintf(end, size, "%s.%d", stem, pid);
	else
		snprintf(end, size, "%s.%d.%u", stem, pid, i);
}

/* The first name that nobody has; -1, and the errno of the last one. */
static int create(struct name *name)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	unsigned int i = name->in_directory ? 1 : 0;
	int fd = -1;

	for (; fd < 0 && i < NAMES_MAX; i++) {
		put_number(name, i);
		fd = sys_open(name->path, flags, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd;
}

static bool is_within_limit(size_t size)
{
	struct rlimit limit;

	/* Beyond it is a SIGXFSZ. */
	return getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur >= size;
}

/* For file systems without fallocate(2). */
static bool write_zeros(int fd, size_t size)
{
	static const char zeros[16384];
	ssize_t n = 1;

	for (; size > 0 && n > 0; size -= (size_t)n)
		n = log_write_quietly(fd, zeros, size < sizeof(zeros)
						 ? size : sizeof(zeros));
	return size == 0;
}

static bool make_room(int fd, size_t size)
{
	if (!is_within_limit(size)) {
		errno = EFBIG;
		return false;
	}
	if (sys_fallocate(fd, 0, (off_t)size) == 0)
		return true;
	return (errno == EOPNOTSUPP || errno == ENOSYS) &&
	       write_zeros(fd, size);
}

int stats_open(const char *given, size_t size, const char **why)
{
	struct name name;
	mode_t type;
	int error, fd;

	*why = "the name is too long";
	if (!expand(&name, given))
		return -1;
	type = type_of(name.path);
	name.in_directory = S_ISDIR(type);
	*why = "neither a directory nor an ordinary file";
	if (type && !S_ISDIR(type) && !S_ISREG(type))
		return -1;
	fd = create(&name);
	if (fd >= 0 && make_room(fd, size))
		return fd;
	error = errno;
	if (fd >= 0) {
		sys_unlink(name.path);
		sys_close(fd);
	}
	*why = strerrordesc_np(error);
	return -1;
}
