/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe_facts.c: what the inode, the mount table and an overlay's layers say.
 *
 * Design: a mount is found by the identifier that the kernel gives for the
 * descriptor, not by comparing paths: mounts hide each other.
 */
#include "cli/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli/cli.h"
#include "shim/compiler.h"

#ifndef STATX_ATTR_DAX
#define STATX_ATTR_DAX		0x00200000	/* linux/stat.h, 5.8 */
#endif
#ifndef STATX_ATTR_VERITY
#define STATX_ATTR_VERITY	0x00100000	/* linux/stat.h, 5.5 */
#endif

/*
 * The inode
 */

/* What keeps a file from being DAX for good (ext4_should_use_dax). */
static void look_at_obstacles(int fd, uint64_t attributes,
			      struct probe_inode *inode)
{
	unsigned int flags = 0;

	/* The kernel writes an int, whatever the macro's type says. */
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		flags = 0;
	inode->journalled = flags & FS_JOURNAL_DATA_FL;
	if (attributes & STATX_ATTR_ENCRYPTED)
		inode->obstacle = "encrypted";
	else if (attributes & STATX_ATTR_VERITY)
		inode->obstacle = "protected by fs-verity";
	else if (flags & FS_INLINE_DATA_FL)
		inode->obstacle = "stored inside its inode (inline_data)";
}

static void look_at_flags(int fd, struct probe_inode *inode)
{
	struct fsxattr attributes;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes))
		return;
	inode->flag_told = true;
	inode->flag = attributes.fsx_xflags & FS_XFLAG_DAX;
	inode->realtime = attributes.fsx_xflags & FS_XFLAG_REALTIME;
}

static int look_at_inode(int fd, struct probe_inode *inode)
{
	struct statfs fs;
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
		  STATX_BASIC_STATS, &stx) || fstatfs(fd, &fs))
		return -errno;
	inode->dax_told = stx.stx_attributes_mask & STATX_ATTR_DAX;
	inode->dax = stx.stx_attributes & STATX_ATTR_DAX;
	inode->size = stx.stx_size;
	inode->block_size = fs.f_bsize;
	look_at_obstacles(fd, stx.stx_attributes, inode);
	look_at_flags(fd, inode);
	return 0;
}

int probe_look(struct probe *p)
{
	int subject = probe_subject(p);
	int fd = subject >= 0 ? subject : p->dir;
	int err;

	if (fd < 0)
		return 0;
	err = dax_look(fd, &p->info);
	if (err == 0)
		err = look_at_inode(fd, &p->inode);
	if (err)
		return err;
	/* The temporary file's mount is the directory's. */
	probe_mount(p->fd >= 0 ? p->fd : p->dir, &p->mount);
	if (p->info.kind != DAX_DEVICE && p->mount.type)
		probe_layer(p);
	probe_device(&p->info, &p->device);
	p->domain = dax_domain(fd, &p->info, "/sys");
	return 0;
}

/*
 * The mount
 */

static long mount_id(int fd)
{
	char path[64], line[128];
	long id = -1;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info))
		if (!strncmp(line, "mnt_id:", 7)) {
			id = strtol(line + 7, NULL, 10);
			break;
		}
	if (info)
		fclose(info);
	return id;
}

static bool is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' &&
	       p[2] >= '0' && p[2] <= '7';
}

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void decode(char *text)
{
	char *out = text;

	while (*text) {
		if (*text == '\\' && is_octal(text + 1)) {
			*out++ = (char)((text[1] - '0') << 6 |
					(text[2] - '0') << 3 |
					(text[3] - '0'));
			text += 4;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
}

static char *decoded(const char *word)
{
	char *copy = cli_strdup(word ? word : "");

	decode(copy);
	return copy;
}

/* ID PARENT DEVICE ROOT POINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS */
static void read_mount(char *line, struct probe_mount *mount)
{
	char *words[6], *rest = line, *separator, *more;
	const char *type, *source;
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++)
		words[i] = strsep(&rest, " \n");
	if (!rest)
		return;
	separator = strncmp(rest, "- ", 2) ? strstr(rest, " - ") : rest - 1;
	if (!separator)
		return;
	rest = separator + strlen(" - ");
	type = strsep(&rest, " \n");
	source = strsep(&rest, " \n");
	more = strsep(&rest, " \n");
	mount->type = decoded(type);
	mount->source = decoded(source);
	mount->root = decoded(words[3]);
	mount->point = decoded(words[4]);
	/* Both begin with rw or ro; the file system may be ro for all. */
	if (more && !strncmp(more, words[5], 2))
		more += more[2] == ',' ? 3 : 2;
	mount->options = more && *more ? cli_format("%s,%s", words[5], more)
				       : cli_strdup(words[5]);
	decode(mount->options);
}

void probe_mount(int fd, struct probe_mount *mount)
{
	long wanted = mount_id(fd);
	char *line = NULL;
	size_t size = 0;
	FILE *table;

	memset(mount, 0, sizeof(*mount));
	table = wanted < 0 ? NULL : fopen("/proc/self/mountinfo", "re");
	if (!table)
		return;
	while (!mount->type && getline(&line, &size, table) > 0)
		if (strtol(line, NULL, 10) == wanted)
			read_mount(line, mount);
	free(line);
	fclose(table);
}

void probe_mount_free(struct probe_mount *mount)
{
	free(mount->type);
	free(mount->source);
	free(mount->point);
	free(mount->root);
	free(mount->options);
	memset(mount, 0, sizeof(*mount));
}

/* What follows name= in the options, up to the next one; NULL: nothing. */
static char *option_value(const char *options, const char *name)
{
	size_t len = strlen(name), i;
	const char *at = options;
	char *value;

	for (;;) {
		if (!strncmp(at, name, len) && at[len] == '=')
			break;
		at = strchr(at, ',');
		if (!at)
			return NULL;
		at++;
	}
	at += len + 1;
	for (i = 0; at[i] && at[i] != ','; i++)
		if (at[i] == '\\' && at[i + 1])
			i++;
	value = cli_format("%.*s", (int)i, at);
	return value;
}

bool probe_has_option(const struct probe_mount *mount, const char *option)
{
	char *options = cli_format(",%s,", mount->options);
	char *wanted = cli_format(",%s,", option);
	bool has = strstr(options, wanted) != NULL;

	free(options);
	free(wanted);
	return has;
}

const char *probe_dax_option(const struct probe_mount *mount)
{
	static const char *const words[] = { "always", "inode", "never" };
	char *value = option_value(mount->options, "dax");
	const char *found = NULL;
	size_t i;

	for (i = 0; value && i < ARRAY_LEN(words); i++)
		if (!strcmp(value, words[i]))
			found = words[i];
	free(value);
	if (!found && probe_has_option(mount, "dax"))
		found = "always";
	return found;
}

/*
 * The layers of an overlay
 */

/* path inside the file system that is mounted, from its root. */
static char *inside(const struct probe *p)
{
	const struct probe_mount *m = &p->mount;
	size_t point = strcmp(m->point, "/") ? strlen(m->point) : 0;
	const char *root = strcmp(m->root, "/") ? m->root : "";

	if (strncmp(p->path, m->point, point) != 0)
		return NULL;
	return cli_format("%s%s", root, p->path + point);
}

/* Whether a file, or one that would be made in a directory, is DAX. */
static bool is_dax(int fd)
{
	struct dax_info info;
	int temp = openat(fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	bool dax = dax_look(temp >= 0 ? temp : fd, &info) == 0 &&
		   info.kind == DAX_FILE;

	if (temp >= 0)
		close(temp);
	return dax;
}

/*
 * Layers are named as the process that mounted them saw them, perhaps in
 * another mount namespace: a file has to look like the overlay's.
 */
static bool is_same(const struct probe *p, int fd)
{
	struct stat here, there;

	if (p->target != PROBE_FILE)
		return true;
	return fstat(p->fd, &here) == 0 && fstat(fd, &there) == 0 &&
	       here.st_size == there.st_size &&
	       here.st_mtim.tv_sec == there.st_mtim.tv_sec &&
	       here.st_mtim.tv_nsec == there.st_mtim.tv_nsec;
}

/* Whether the layer's directory is here and holds path; remembers it. */
static bool is_in_layer(struct probe *p, const char *which, const char *layer,
			const char *path)
{
	char *whole = cli_format("%s%s", layer, path);
	int fd = *layer == '/' ? open(whole, O_PATH | O_NOFOLLOW | O_CLOEXEC)
			       : -1;
	bool found = fd >= 0 && is_same(p, fd);

	if (found) {
		p->layer = cli_format("the %s layer, %s", which, whole);
		p->layer_dax = is_dax(fd);
	}
	if (fd >= 0)
		close(fd);
	free(whole);
	return found;
}

/* The next of A:B::C, cut off and without backslashes; NULL at the end. */
static char *next_layer(char **layers)
{
	char *layer = *layers, *from = layer, *to = layer;
	bool more;

	if (!layer)
		return NULL;
	for (; *from && *from != ':'; from++) {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from;
	}
	more = *from == ':';
	*to = '\0';
	*layers = more ? from + 1 : NULL;
	return layer;
}

static void find_lower(struct probe *p, char *layers, const char *path)
{
	char *layer;

	while ((layer = next_layer(&layers)))
		if (is_in_layer(p, "lower", layer, path))
			return;
}

/* What is new is made in the upper layer, be its directory there or not. */
static void find_layer(struct probe *p, const char *upper, char *lower,
		       char *path)
{
	char *slash = strrchr(path, '/');

	if (p->target == PROBE_NEW && slash)
		*slash = '\0';
	if (upper && is_in_layer(p, "upper", upper, path))
		return;
	if (p->target == PROBE_FILE && lower)
		find_lower(p, lower, path);
	else if (upper)
		is_in_layer(p, "upper", upper, "");
}

void probe_layer(struct probe *p)
{
	char *upper, *lower, *path;

	if (strcmp(p->mount.type, "overlay") != 0)
		return;
	upper = option_value(p->mount.options, "upperdir");
	lower = option_value(p->mount.options, "lowerdir");
	path = inside(p);
	if (path)
		find_layer(p, upper, lower, path);
	free(upper);
	free(lower);
	free(path);
}
