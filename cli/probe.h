/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe.h: what `pmemshim probe` finds out about one path. Private to
 * cli/probe*.c.
 *
 * Design: facts are gathered by one file each, from a descriptor that cannot
 * change the file, or from an unlinked temporary file beside it; then the
 * shim's own mapping code decides (probe_decide.c), so that the answer is the
 * shim's; and only then are reasons looked for in the facts (probe_why.c).
 */
#ifndef PMEMSHIM_PROBE_H
#define PMEMSHIM_PROBE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "config/config.h"
#include "shim/dax.h"
#include "shim/persist.h"

enum probe_target {
	PROBE_FILE,		/* an existing regular file */
	PROBE_NEW,		/* a file that could be made in a directory */
	PROBE_DIRECTORY,	/* any file that could be made there */
	PROBE_DEVICE,		/* device-DAX */
	PROBE_OTHER		/* nothing that is mapped as a file */
};

enum probe_outcome {
	PROBE_USER,	/* persisted from user space */
	PROBE_ASSUMED,	/* the same by assume_pmem: not durable */
	PROBE_KERNEL,	/* left to the kernel */
	PROBE_FAILS,	/* the program's mmap fails: map_sync=require */
	PROBE_UNKNOWN	/* nothing was there to try it on */
};

struct probe_mount {
	char *type;		/* NULL: the mount is not known; so all below */
	char *source;
	char *point;
	char *root;		/* which directory of the file system it shows */
	char *options;		/* of the mount and of the file system */
};

/* What sysfs says of the device under the file system, or of device-DAX. */
struct probe_device {
	char *sysfs;		/* its directory; NULL: there is none */
	char *name;		/* "pmem0" */
	char *namespace;	/* "namespace0.0", or NULL */
	const char *mode;	/* as ndctl spells it: "fsdax"; or NULL */
	char *region;		/* "region0", or NULL */
	char *provider;		/* "ACPI.NFIT", "virtio-pmem", or NULL */
	char *domain;		/* persistence_domain as it stands, or NULL */
	char *refusing_part;	/* the part of a volume that has no DAX */
	bool mapped;		/* a device-mapper volume */
	bool dax;		/* queue/dax is 1; device-DAX */
	uint64_t align;		/* of the namespace; 0: it does not say */
	uint64_t start;		/* physical address of the device's byte 0 */
	bool start_known;	/* else only modulo align */
	uint64_t partition;	/* bytes from there to the file system */
};

struct probe_inode {
	bool dax;		/* STATX_ATTR_DAX */
	bool dax_told;		/* this kernel has that attribute */
	bool flag;		/* FS_XFLAG_DAX */
	bool flag_told;
	bool realtime;
	const char *obstacle;	/* "encrypted" and the like, or NULL */
	bool journalled;	/* chattr +j */
	uint64_t size;
	long block_size;	/* of the file system */
};

/* Which 2 MiB blocks one page-table entry could map. */
struct probe_pages {
	bool known;
	char *why;		/* NULL, or why none, or why unknown */
	uint64_t possible;
	uint64_t blocks;	/* whole ones in the file */
	bool temporary;		/* it was the temporary file */
	/* Which a mapping of the whole file, to be stored to, is put for. */
	enum config_pages wanted;
};

/* Medians in nanoseconds. */
struct probe_cost {
	char *no_persist, *no_msync;	/* why there is none, or NULL */
	double persist;
	double msync;
	double refault;		/* what the next stores cost more after msync */
	unsigned int persists, msyncs;
};

struct probe_reason {
	const char *id;		/* for programs: "no-rule" */
	char *what;
	char *todo;		/* NULL: nothing to be done */
};

enum { PROBE_REASONS = 4 };

struct probe {
	const char *asked;
	char path[PATH_MAX];	/* by which the rules are compared */
	enum probe_target target;
	mode_t mode;
	int fd;			/* of the file or device itself, or -1 */
	int dir;		/* where a temporary file may be, or -1 */
	int temp;		/* the temporary file, or -1 */
	char *no_temp;		/* why there is none */
	bool writable;		/* the caller may write the file */

	struct dax_info info;	/* all of these: of the file, else of temp */
	struct probe_inode inode;
	struct probe_mount mount;
	struct probe_device device;
	enum dax_domain domain;
	char *layer;		/* overlayfs: "upper /u/file", or NULL */
	bool layer_dax;		/* and the file there is DAX */

	const struct config_rule *rule;
	/* With no rule that persists: what a plain rule would choose. */
	const struct persist_policy *policy;
	bool tried;		/* MAP_SYNC was asked for */
	int sync;		/* 0: granted; a negative errno */
	int failure;		/* errno of the program's mmap */
	enum probe_outcome outcome;

	struct probe_pages pages;
	struct probe_cost cost;
	struct probe_reason reasons[PROBE_REASONS];
	size_t nreasons;
};

/* An errno in words. strerror would look for a translation. */
static inline const char *probe_error(int err)
{
	const char *text = strerrordesc_np(err);

	return text ? text : "unknown error";
}

/* The descriptor that stands for the file; -1 when there is none. */
static inline int probe_subject(const struct probe *p)
{
	return p->fd >= 0 ? p->fd : p->temp;
}

/* --- probe_open.c: what the path is. 0 or a negative errno -------------- */
int probe_open(struct probe *p);
void probe_close(struct probe *p);

/* --- probe_facts.c ------------------------------------------------------- */
int probe_look(struct probe *p);
void probe_mount(int fd, struct probe_mount *mount);
void probe_mount_free(struct probe_mount *mount);
/* "always", "inode", "never", or NULL where the options do not say. */
const char *probe_dax_option(const struct probe_mount *mount);
bool probe_has_option(const struct probe_mount *mount, const char *option);
void probe_layer(struct probe *p);

/* --- probe_device.c -------------------------------------------------------*/
void probe_device(const struct dax_info *info, struct probe_device *device);
void probe_device_free(struct probe_device *device);

/* --- probe_decide.c: once; then for each path --------------------------- */
extern struct arch_ops probe_arch;
extern struct config probe_config;
void probe_start(void);
void probe_decide(struct probe *p);

/* --- probe_pages.c, probe_cost.c ----------------------------------------- */
void probe_pages(struct probe *p);
void probe_cost(struct probe *p);

/* --- probe_why.c: the reasons, the one that matters most first ---------- */
void probe_why(struct probe *p);

/* --- probe_cpu.c --------------------------------------------------------- */
/*
 * "TCG", "KVM" and so on where a hypervisor says so, else NULL. *emulated:
 * instructions are translated, so that times say nothing.
 */
const char *probe_hypervisor(bool *emulated);

/* --- probe_rule.c -------------------------------------------------------- */
/* Each key of a rule as text; without all, mode and what is not the default. */
typedef void (*probe_key_fn)(void *arg, const char *name, const char *text);
void probe_rule_each(const struct config_rule *rule, bool all, probe_key_fn fn,
		     void *arg);

/* --- probe_print.c ------------------------------------------------------- */
struct json;
void probe_print(const struct probe *p);
void probe_print_json(struct json *json, const struct probe *p);
void probe_print_cpu_json(struct json *json);

#endif
