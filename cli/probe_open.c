/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe_open.c: what a path is, and descriptors to look at it by.
 *
 * Design: an O_PATH descriptor comes first, because opening a FIFO waits and
 * opening a device may do anything; what is found to be a regular file is
 * reopened through it, for reading and without touching its access time. All
 * that has to be written is written to an O_TMPFILE file, which never has a
 * name and is gone when the process is, however that ends.
 */
#include "cli/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

/* As many links in a row as the kernel follows (path_resolution(7)). */
#define LINKS_MAX 40

static int reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC | O_NONBLOCK);
}

/* O_NOATIME is for the file's owner and for root. */
static int reopen_to_read(int fd)
{
	int read_only = reopen(fd, O_RDONLY | O_NOATIME);

	if (read_only < 0 && errno == EPERM)
		read_only = reopen(fd, O_RDONLY);
	return read_only;
}

static int open_kind(struct probe *p, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	p->mode = st.st_mode;
	if (S_ISREG(st.st_mode))
		p->target = PROBE_FILE;
	else if (S_ISDIR(st.st_mode))
		p->target = PROBE_DIRECTORY;
	else if (S_ISCHR(st.st_mode) && dax_look(fd, &p->info) == 0 &&
		 p->info.kind == DAX_DEVICE)
		p->target = PROBE_DEVICE;
	else
		p->target = PROBE_OTHER;
	return dax_path(fd, p->path, sizeof(p->path));
}

static int open_existing(struct probe *p, int fd)
{
	char link[64];
	int err = open_kind(p, fd);

	if (err)
		return err;
	if (p->target == PROBE_FILE || p->target == PROBE_DEVICE) {
		p->fd = reopen_to_read(fd);
		if (p->fd < 0)
			return -errno;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		p->writable = access(link, W_OK) == 0;
	}
	return 0;
}

/* The directory part and the last component of path, which is cut up. */
static const char *split(char *path, char **name)
{
	char *slash = strrchr(path, '/');

	*name = slash ? slash + 1 : path;
	if (!slash)
		return ".";
	if (slash == path)
		return "/";
	*slash = '\0';
	return path;
}

/* Where open(2) with O_CREAT would go on: the target of a dangling link. */
static bool follow_link(char **path)
{
	char target[PATH_MAX], *name;
	ssize_t len = readlink(*path, target, sizeof(target) - 1);
	char *old = *path;

	if (len < 0)
		return false;
	target[len] = '\0';
	*path = target[0] == '/' ? cli_strdup(target)
				 : cli_format("%s/%s", split(old, &name),
					      target);
	free(old);
	return true;
}

static int open_new_at(struct probe *p, char *path)
{
	char *name;
	const char *dir = split(path, &name);
	size_t len;
	int err;

	if (*name == '\0' || !strcmp(name, ".") || !strcmp(name, ".."))
		return -ENOENT;
	p->target = PROBE_NEW;
	p->mode = S_IFREG;
	p->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0)
		return -errno;
	err = dax_path(p->dir, p->path, sizeof(p->path));
	if (err)
		return err;
	len = strcmp(p->path, "/") ? strlen(p->path) : 0;
	if (len + 1 + strlen(name) >= sizeof(p->path))
		return -ENAMETOOLONG;
	snprintf(p->path + len, sizeof(p->path) - len, "/%s", name);
	return 0;
}

static int open_new(struct probe *p)
{
	char *path = cli_strdup(p->asked);
	int links = 0, err;

	while (links < LINKS_MAX && follow_link(&path))
		links++;
	err = links < LINKS_MAX ? open_new_at(p, path) : -ELOOP;
	free(path);
	return err;
}

/* The directory of an existing file: where its like can be made. */
static int open_parent(const struct probe *p)
{
	char *path = cli_strdup(p->path), *name;
	int fd = open(split(path, &name), O_PATH | O_DIRECTORY | O_CLOEXEC);

	free(path);
	return fd;
}

/* A file that is mounted by itself has neighbours of another kind. */
static bool same_device(int a, int b)
{
	struct stat of_a, of_b;

	return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 &&
	       of_a.st_dev == of_b.st_dev;
}

static char *no_temporary(int err)
{
	if (err == EOPNOTSUPP || err == EISDIR)
		return cli_strdup("the file system makes no unlinked temporary files (O_TMPFILE)");
	return cli_format("no temporary file can be made there (%s)",
			  probe_error(err));
}

static void open_temporary(struct probe *p)
{
	if (p->dir >= 0)
		p->temp = openat(p->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
				 0600);
	if (p->temp < 0) {
		p->no_temp = no_temporary(errno);
	} else if (p->fd >= 0 && !same_device(p->temp, p->fd)) {
		close(p->temp);
		p->temp = -1;
		p->no_temp = cli_strdup("the file's directory is on another file system");
	}
}

static int open_target(struct probe *p)
{
	int fd = open(p->asked, O_PATH | O_CLOEXEC);
	int err;

	if (fd < 0)
		return errno == ENOENT ? open_new(p) : -errno;
	err = open_existing(p, fd);
	if (err == 0 && p->target == PROBE_DIRECTORY)
		p->dir = fd;
	else
		close(fd);
	return err;
}

int probe_open(struct probe *p)
{
	int err;

	p->fd = p->dir = p->temp = -1;
	p->writable = true;
	err = open_target(p);
	if (err)
		return err;
	if (p->target == PROBE_FILE)
		p->dir = open_parent(p);
	if (p->target == PROBE_DEVICE)
		p->no_temp = cli_strdup("a device has no room for a temporary file");
	else if (p->target != PROBE_OTHER)
		open_temporary(p);
	return 0;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void probe_close(struct probe *p)
{
	size_t i;

	close_one(&p->fd);
	close_one(&p->dir);
	close_one(&p->temp);
	probe_mount_free(&p->mount);
	probe_device_free(&p->device);
	free(p->no_temp);
	free(p->layer);
	free(p->pages.why);
	free(p->cost.no_persist);
	free(p->cost.no_msync);
	for (i = 0; i < p->nreasons; i++) {
		free(p->reasons[i].what);
		free(p->reasons[i].todo);
	}
}
