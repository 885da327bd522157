/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mounts.c: mountinfo (proc_pid_mountinfo(5)) as a stream of words.
 *
 * 36 35 259:1 / /mnt/pmem rw,noatime shared:1 - ext4 /dev/pmem0 rw,dax=always
 *       dev     point                         |                 options
 *
 * Design: one word at a time through two static buffers, so neither the
 * number of mounts nor the length of a line (an overlay lists hundreds of
 * directories) matters, and nothing is allocated. A word that does not fit
 * is longer than any path and is dropped.
 */
#include "config/mounts.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "shim/compiler.h"
#include "shim/sys.h"

enum dax_option { DAX_UNSAID, DAX_ALWAYS, DAX_NEVER };

struct reader {
	int fd;
	int error;		/* negative errno of the last read */
	size_t pos;
	size_t len;
	char block[4096];
	char word[4 * PATH_MAX]; /* an escape takes four bytes */
};

struct mount {
	enum dax_option dax;
	char device[32];	/* "major:minor" */
	char point[PATH_MAX];
};

static int next_byte(struct reader *r)
{
	ssize_t n;

	if (r->pos == r->len) {
		do {
			n = sys_read(r->fd, r->block, sizeof(r->block));
		} while (n < 0 && errno == EINTR);
		if (n < 0)
			r->error = -errno;
		if (n <= 0)
			return -1;
		r->pos = 0;
		r->len = (size_t)n;
	}
	return (unsigned char)r->block[r->pos++];
}

/*
 * Read up to one of the stops into r->word. The stop, or -1 at the end of
 * the file or on an error. A word that is too long becomes empty.
 */
static int next_word(struct reader *r, const char *stops)
{
	size_t len = 0;
	int c;

	while ((c = next_byte(r)) > 0 && !strchr(stops, c)) {
		if (len < sizeof(r->word))
			r->word[len++] = (char)c;
	}
	if (len == sizeof(r->word))
		len = 0;
	r->word[len] = '\0';
	return c;
}

static bool is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' &&
	       p[2] >= '0' && p[2] <= '7';
}

/* The kernel writes space, tab, newline and backslash as \ooo. */
static void decode(char *out, size_t size, const char *word)
{
	size_t len = 0;

	for (; *word != '\0' && len < size; len++) {
		if (word[0] == '\\' && is_octal(word + 1)) {
			out[len] = (char)((word[1] - '0') << 6 |
					  (word[2] - '0') << 3 |
					  (word[3] - '0'));
			word += 4;
		} else {
			out[len] = *word++;
		}
	}
	out[len < size ? len : 0] = '\0';
}

/* What follows the "-": type, source, options. */
static bool read_file_system(struct reader *r, struct mount *m)
{
	int stop;

	if (next_word(r, " \n") != ' ' || next_word(r, " \n") != ' ')
		return false;
	do {
		stop = next_word(r, ", \n");
		if (!strcmp(r->word, "dax") || !strcmp(r->word, "dax=always"))
			m->dax = DAX_ALWAYS;
		else if (!strcmp(r->word, "dax=never"))
			m->dax = DAX_NEVER;
	} while (stop == ',');
	/* A later kernel may say more. */
	while (stop == ' ')
		stop = next_word(r, " \n");
	return true;
}

/* One line; false when it is not a mount, with *more whether others follow. */
static bool read_mount(struct reader *r, struct mount *m, bool *more)
{
	unsigned int field;
	int stop;

	m->dax = DAX_UNSAID;
	for (field = 1; (stop = next_word(r, " \n")) == ' '; field++) {
		if (field == 3)
			decode(m->device, sizeof(m->device), r->word);
		else if (field == 5)
			decode(m->point, sizeof(m->point), r->word);
		else if (field > 6 && !strcmp(r->word, "-"))
			return read_file_system(r, m);
	}
	*more = stop == '\n';
	return false;
}

static bool file_says_one(const char *name)
{
	char c = '0';
	int fd = sys_open(name, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return false;
	if (sys_read(fd, &c, 1) != 1)
		c = '0';
	sys_close(fd);
	return c == '1';
}

/* A partition has no queue of its own: its disk, the parent directory, has. */
static bool device_can_dax(const char *sysfs, const char *device)
{
	static const char *const forms[] = {
		"%s/dev/block/%s/queue/dax",
		"%s/dev/block/%s/../queue/dax"
	};
	char name[256];
	size_t i;
	int n;

	/* Major 0 is no block device. */
	if (!strncmp(device, "0:", 2) ||
	    device[strspn(device, "0123456789:")] != '\0')
		return false;
	for (i = 0; i < ARRAY_LEN(forms); i++) {
		n = snprintf(name, sizeof(name), forms[i], sysfs, device);
		if (n > 0 && (size_t)n < sizeof(name) && file_says_one(name))
			return true;
	}
	return false;
}

static bool mount_can_dax(const struct mount *m, const char *sysfs)
{
	if (m->dax == DAX_UNSAID)
		return device_can_dax(sysfs, m->device);
	return m->dax == DAX_ALWAYS;
}

int mounts_walk_dax(const char *mountinfo, const char *sysfs, mounts_fn fn,
		    void *arg)
{
	static struct reader r;
	static struct mount m;
	bool more = true;

	r.pos = 0;
	r.len = 0;
	r.error = 0;
	r.fd = sys_open(mountinfo, O_RDONLY | O_CLOEXEC, 0);
	if (r.fd < 0)
		return -errno;
	while (more) {
		if (!read_mount(&r, &m, &more) || m.point[0] != '/' ||
		    !mount_can_dax(&m, sysfs))
			continue;
		if (!strcmp(m.point, "/"))
			m.point[0] = '\0';
		if (!fn(arg, m.point))
			break;
	}
	sys_close(r.fd);
	return r.error;
}
