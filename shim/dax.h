/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dax.h: is this descriptor DAX, and in which persistence domain?
 *
 * Concurrency: all functions may run in any thread; those that say so require
 * registry_lock. None changes errno's meaning for its caller: save it.
 */
#ifndef PMEMSHIM_DAX_H
#define PMEMSHIM_DAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What MAP_SYNC on the file may be expected to answer. */
enum dax_kind {
	DAX_NONE,	/* not DAX: do not ask */
	DAX_UNTOLD,	/* this kernel does not say: ask by a probe */
	DAX_FILE,	/* a DAX inode: granted if the device is synchronous */
	DAX_DEVICE	/* a device-DAX character device: granted */
};

struct dax_info {
	enum dax_kind kind;
	bool regular;
	dev_t dev;		/* of the inode; of the device for DAX_DEVICE */
	ino_t ino;
};

/* 0, or a negative errno when fd tells nothing. */
int dax_look(int fd, struct dax_info *info);

/*
 * 0 when a one-page MAP_SYNC mapping of fd at offset is granted somewhere
 * else, or the kernel's negative errno. Leaves no mapping behind.
 */
int dax_probe(int fd, off_t offset);

/*
 * The file's path as this process sees it, without the mark of a deleted
 * file, in buf. 0 or a negative errno (-ENAMETOOLONG, or what reading
 * /proc/thread-self/fd gave).
 */
int dax_path(int fd, char *buf, size_t size);

/* What the platform says of the region that a file lies in. */
enum dax_domain {
	DAX_DOMAIN_UNTOLD,	/* nothing: caches are not in the domain */
	DAX_DOMAIN_MEMORY,	/* ADR: memory_controller */
	DAX_DOMAIN_CACHE	/* eADR: cpu_cache */
};

/*
 * Read sysfs ("/sys" unless a test says otherwise) for the region under the
 * file's device. A device-mapper volume has the weakest domain of its parts.
 * Requires registry_lock.
 */
enum dax_domain dax_domain(int fd, const struct dax_info *info,
			   const char *sysfs);

#endif
