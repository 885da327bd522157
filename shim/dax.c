/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dax.c: what statx(2), /proc and sysfs say about a file.
 */
#include "shim/dax.h"

#include <dirent.h>
#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "shim/compiler.h"
#include "shim/own.h"
#include "shim/registry.h"
#include "shim/sys.h"

#ifndef STATX_ATTR_DAX
#define STATX_ATTR_DAX	0x00200000	/* include/uapi/linux/stat.h, 5.8 */
#endif

/* Device-mapper volumes made of such volumes. */
#define NESTING_MAX	4
/* Names in sysfs are short, and the host's thread may have a small stack. */
#define SYSFS_PATH_MAX	512
/* Partition, block, device, namespace, region: sysfs, kernel 6.1. */
#define CLIMB_MAX	8

static bool is_device_dax(const char *sysfs, dev_t dev)
{
	char path[SYSFS_PATH_MAX], link[SYSFS_PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/dev/char/%u:%u/subsystem", sysfs,
		 major(dev), minor(dev));
	n = sys_readlink(path, link, sizeof(link) - 1);
	if (n < 4)
		return false;
	link[n] = '\0';
	return strcmp(link + n - 4, "/dax") == 0;
}

int dax_look(int fd, struct dax_info *info)
{
	struct statx stx;

	*info = (struct dax_info){ .kind = DAX_NONE };
	if (sys_statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
		      STATX_TYPE | STATX_INO, &stx))
		return -errno;
	info->dev = makedev(stx.stx_dev_major, stx.stx_dev_minor);
	info->ino = stx.stx_ino;
	if (S_ISREG(stx.stx_mode)) {
		info->regular = true;
		if (!(stx.stx_attributes_mask & STATX_ATTR_DAX))
			info->kind = DAX_UNTOLD;
		else if (stx.stx_attributes & STATX_ATTR_DAX)
			info->kind = DAX_FILE;
	} else if (S_ISCHR(stx.stx_mode)) {
		dev_t dev = makedev(stx.stx_rdev_major, stx.stx_rdev_minor);

		if (is_device_dax("/sys", dev)) {
			info->kind = DAX_DEVICE;
			info->dev = dev;
		}
	}
	return 0;
}

int dax_probe(int fd, off_t offset)
{
	void *page = sys_mmap(own_place(REGISTRY_PAGE), REGISTRY_PAGE,
			      PROT_NONE, MAP_SHARED_VALIDATE | MAP_SYNC, fd,
			      offset);

	if (page == MAP_FAILED)
		return -errno;
	sys_munmap(page, REGISTRY_PAGE);
	return 0;
}

/* The kernel appends this to the name of a file that has none any more. */
static void strip_deleted(int fd, char *path, size_t len)
{
	static const char mark[] = " (deleted)";
	size_t mark_len = sizeof(mark) - 1;
	struct stat st;

	if (len > mark_len && strcmp(path + len - mark_len, mark) == 0 &&
	    sys_fstat(fd, &st) == 0 && st.st_nlink == 0)
		path[len - mark_len] = '\0';
}

int dax_path(int fd, char *buf, size_t size)
{
	char link[64];
	ssize_t n;

	/* thread-self: a thread may have a descriptor table of its own. */
	snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", fd);
	n = sys_readlink(link, buf, size);
	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	strip_deleted(fd, buf, (size_t)n);
	return 0;
}

/* The first line of a small file, without its end. */
static bool read_line(const char *path, char *buf, size_t size)
{
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	ssize_t n;

	if (fd < 0)
		return false;
	n = sys_read(fd, buf, size - 1);
	sys_close(fd);
	if (n < 0)
		return false;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

/*
 * The nearest persistence_domain at or above a device's directory. ".." is
 * resolved by the kernel behind the links, so it leads up the real tree:
 * pmem0 -> block -> namespace0.0 -> region0.
 */
static enum dax_domain domain_above(const char *device)
{
	char path[SYSFS_PATH_MAX], value[64];
	size_t len = (size_t)snprintf(path, sizeof(path), "%s", device);

	for (int i = 0; i < CLIMB_MAX && len + 64 < sizeof(path); i++) {
		snprintf(path + len, sizeof(path) - len,
			 "/persistence_domain");
		if (read_line(path, value, sizeof(value)))
			return strcmp(value, "cpu_cache") == 0
			     ? DAX_DOMAIN_CACHE
			     : strcmp(value, "memory_controller") == 0
			     ? DAX_DOMAIN_MEMORY
			     : DAX_DOMAIN_UNTOLD;
		len += (size_t)snprintf(path + len, sizeof(path) - len, "/..");
	}
	return DAX_DOMAIN_UNTOLD;
}

static enum dax_domain domain_of(const char *device, int nesting);

/* The weakest domain of a volume's parts; false when it has none. */
static bool domain_of_parts(const char *device, int nesting,
			    enum dax_domain *weakest)
{
	char path[SYSFS_PATH_MAX];
	_Alignas(struct dirent64) char buf[1024];
	bool any = false;
	long n;
	int fd;

	snprintf(path, sizeof(path), "%s/slaves", device);
	fd = sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	*weakest = DAX_DOMAIN_CACHE;
	while ((n = sys_getdents(fd, buf, sizeof(buf))) > 0) {
		for (long i = 0; i < n;) {
			const struct dirent64 *entry =
				(const struct dirent64 *)(buf + i);
			enum dax_domain part = DAX_DOMAIN_UNTOLD;
			int len;

			i += entry->d_reclen;
			if (entry->d_name[0] == '.')
				continue;
			len = snprintf(path, sizeof(path), "%s/slaves/%s",
				       device, entry->d_name);
			if (nesting < NESTING_MAX && len > 0 &&
			    (size_t)len < sizeof(path))
				part = domain_of(path, nesting + 1);
			if (part < *weakest)
				*weakest = part;
			any = true;
		}
	}
	sys_close(fd);
	if (n < 0)
		*weakest = DAX_DOMAIN_UNTOLD;
	return any;
}

static enum dax_domain domain_of(const char *device, int nesting)
{
	enum dax_domain domain;

	if (domain_of_parts(device, nesting, &domain))
		return domain;
	return domain_above(device);
}

/* A file on an xfs realtime device does not lie on the device it names. */
static bool is_elsewhere(int fd)
{
	struct fsxattr attributes;

	return sys_ioctl(fd, FS_IOC_FSGETXATTR, &attributes) == 0 &&
	       (attributes.fsx_xflags & FS_XFLAG_REALTIME);
}

/*
 * Devices where the caches were found to be in no domain. Not those where they
 * are: of a device that has come under another one's number that would be
 * believed, and this only costs flushes.
 */
static struct {
	dev_t dev[16];
	size_t n, next;
} weak;

static bool is_weak(dev_t dev)
{
	for (size_t i = 0; i < weak.n; i++)
		if (weak.dev[i] == dev)
			return true;
	return false;
}

static void note_weak(dev_t dev)
{
	weak.dev[weak.next] = dev;
	weak.next = (weak.next + 1) % ARRAY_LEN(weak.dev);
	if (weak.n < ARRAY_LEN(weak.dev))
		weak.n++;
}

enum dax_domain dax_domain(int fd, const struct dax_info *info,
			   const char *sysfs)
{
	char device[SYSFS_PATH_MAX];
	enum dax_domain domain;
	int len;

	if (is_weak(info->dev) || (info->regular && is_elsewhere(fd)))
		return DAX_DOMAIN_UNTOLD;
	len = snprintf(device, sizeof(device), "%s/dev/%s/%u:%u", sysfs,
		       info->kind == DAX_DEVICE ? "char" : "block",
		       major(info->dev), minor(info->dev));
	if (len < 0 || (size_t)len >= sizeof(device))
		return DAX_DOMAIN_UNTOLD;
	domain = domain_of(device, 0);
	if (domain != DAX_DOMAIN_CACHE)
		note_weak(info->dev);
	return domain;
}
