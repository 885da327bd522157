/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe_why.c: from the facts to the reason, and to what can be done.
 *
 * Design: the decision has been made by then; nothing here changes it, except
 * that a file which nothing could be tried on is left to the kernel when a
 * reason is certain all the same. The kernel's reasons stand in the order in
 * which the kernel meets them: the file system, the device, the format, the
 * mount option, the inode.
 */
#include "cli/probe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/cli.h"
#include "shim/compiler.h"

static void add(struct probe *p, const char *id, char *what, char *todo)
{
	if (p->nreasons == PROBE_REASONS) {
		free(what);
		free(todo);
		return;
	}
	p->reasons[p->nreasons++] = (struct probe_reason){ id, what, todo };
}

/* what and todo as they stand; todo may be NULL. */
static void add_plain(struct probe *p, const char *id, const char *what,
		      const char *todo)
{
	add(p, id, cli_strdup(what), todo ? cli_strdup(todo) : NULL);
}

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

#define IS_ONE_OF(word, ...)						\
	is_one_of(word, (const char *const[]){ __VA_ARGS__ },		\
		  ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })))

static const char *name_of(const struct probe *p)
{
	return p->device.name ? p->device.name : p->mount.source;
}

/*
 * What is not a file
 */

static void not_a_file(struct probe *p)
{
	switch (p->mode & S_IFMT) {
	case S_IFBLK:
		add_plain(p, "block-device",
			  "a block device is mapped through the page cache, without MAP_SYNC",
			  "put a file system on it and mount that with -o dax, if it is persistent memory");
		break;
	case S_IFCHR:
		add_plain(p, "character-device",
			  "a character device that is not device-DAX", NULL);
		break;
	case S_IFIFO:
		add_plain(p, "not-mappable", "a FIFO cannot be mapped", NULL);
		break;
	default:
		add_plain(p, "not-mappable", "a socket cannot be mapped",
			  NULL);
	}
}

/*
 * The file system
 */

static void overlay(struct probe *p)
{
	bool file = p->target == PROBE_FILE;
	char *what;

	if (!p->layer)
		what = cli_strdup("overlayfs passes no MAP_SYNC on; its layers cannot be seen from here");
	else
		what = cli_format("overlayfs passes no MAP_SYNC on; %s in %s, where %s%s DAX",
				  file ? "the file lies" : "new files are made",
				  p->layer, file ? "it is" : "they are",
				  p->layer_dax ? "" : " not");
	add(p, "overlayfs", what,
	    cli_strdup("use a directory outside the overlay (in a container: a volume, bind-mounted from a DAX mount)"));
}

static const char use_pmem[] =
	"use a file on ext4 or xfs, mounted with -o dax on persistent memory";

/* True: the file system is the reason, and has been added. */
static bool file_system(struct probe *p)
{
	const char *type = p->mount.type;

	if (!strcmp(type, "overlay"))
		overlay(p);
	else if (IS_ONE_OF(type, "tmpfs", "ramfs", "devtmpfs", "hugetlbfs"))
		add(p, "no-dax-fs",
		    cli_format("%s has no DAX, and its files do not outlive the machine's power",
			       type),
		    cli_strdup(use_pmem));
	else if (IS_ONE_OF(type, "ext2", "virtiofs", "erofs") &&
		 p->info.kind == DAX_FILE)
		add(p, "no-map-sync-fs",
		    cli_format("%s has DAX, but no MAP_SYNC", type),
		    cli_strdup(use_pmem));
	else if (!IS_ONE_OF(type, "ext2", "ext4", "xfs", "virtiofs", "erofs"))
		add(p, "no-dax-fs", cli_format("%s has no DAX", type),
		    cli_strdup(use_pmem));
	else
		return false;
	return true;
}

/*
 * The device
 */

static void asynchronous(struct probe *p)
{
	const struct probe_device *d = &p->device;

	if (d->provider && !strcmp(d->provider, "virtio-pmem"))
		add(p, "virtio-pmem",
		    cli_format("%s is virtio-pmem, which is asynchronous: data are durable only when the host has flushed its page cache, so the kernel refuses MAP_SYNC",
			       name_of(p)),
		    cli_strdup("give the virtual machine an NVDIMM instead of virtio-pmem, if the host has persistent memory"));
	else
		add(p, "asynchronous",
		    cli_format("the file is DAX, but %s is not synchronous, so the kernel refuses MAP_SYNC (%s)",
			       name_of(p), probe_error(-p->sync)),
		    NULL);
}

static void wrong_mode(struct probe *p)
{
	const struct probe_device *d = &p->device;

	add(p, !strcmp(d->mode, "sector") ? "sector-namespace"
					  : "raw-namespace",
	    cli_format("%s lies on %s, a namespace in %s mode, which has no DAX",
		       p->mount.point, d->namespace, d->mode),
	    cli_format("save its data, then 'ndctl create-namespace -f -e %s -m fsdax', mkfs and mount -o dax",
		       d->namespace));
}

static bool device(struct probe *p)
{
	const struct probe_device *d = &p->device;

	if (!d->sysfs)
		add(p, "no-device",
		    cli_format("%s on %s is on no block device",
			       p->mount.type, p->mount.point),
		    cli_strdup(use_pmem));
	else if (d->dax)
		return false;
	else if (d->mode && IS_ONE_OF(d->mode, "sector", "raw"))
		wrong_mode(p);
	else if (d->refusing_part)
		add(p, "no-dax-device",
		    cli_format("%s is a volume, and its part %s has no DAX",
			       d->name, d->refusing_part),
		    cli_strdup(use_pmem));
	else
		add(p, "no-dax-device",
		    cli_format("%s has no DAX (queue/dax is 0): it is no persistent memory",
			       d->name),
		    cli_strdup(use_pmem));
	return true;
}

/*
 * The format, the mount, the inode
 */

static bool format(struct probe *p)
{
	long page = sysconf(_SC_PAGESIZE);

	if (p->inode.block_size == page)
		return false;
	add(p, "block-size",
	    cli_format("%s with blocks of %ld bytes has no DAX: blocks have to be as large as pages, %ld bytes",
		       p->mount.type, p->inode.block_size, page),
	    cli_format("save its data, then mkfs with %s%ld",
		       !strcmp(p->mount.type, "xfs") ? "-b size=" : "-b ",
		       page));
	return true;
}

/* The directory whose flag a new file would inherit. */
static char *directory_of(const struct probe *p)
{
	size_t len = (size_t)(strrchr(p->path, '/') - p->path);

	if (p->target == PROBE_DIRECTORY)
		return cli_strdup(p->path);
	return cli_format("%.*s", (int)(len ? len : 1), p->path);
}

/*
 * Where the mount says dax=inode (xfs's default, and since Linux 5.8 ext4's),
 * the file's own flag decides; ext4's users know -o dax.
 */
static void no_flag(struct probe *p)
{
	const char *type = p->mount.type;
	bool unsaid = !probe_dax_option(&p->mount) && strcmp(type, "xfs") != 0;
	const char *id = unsaid ? "no-dax-option" : "no-dax-flag";
	char *state = unsaid ? cli_format("%s mounted without dax", type)
			     : cli_format("%s, dax=inode", type);
	char *remount = unsaid
		      ? cli_format("umount %s, then mount -o dax; or ",
				   p->mount.point) : cli_strdup("");
	char *directory = directory_of(p);

	if (p->target == PROBE_FILE)
		add(p, id, cli_format("%s, and this file has no DAX flag",
				      state),
		    cli_format("%sxfs_io -c 'chattr +x' on an empty file sets it; on a directory: for every file made there from then on",
			       remount));
	else
		add(p, id, cli_format("%s, and the directory has no DAX flag that new files would inherit",
				      state),
		    cli_format("%sxfs_io -c 'chattr +x' %s", remount,
			       directory));
	free(directory);
	free(remount);
	free(state);
}

static void flag_not_in_force(struct probe *p)
{
	add_plain(p, "dax-flag-pending",
		  "the DAX flag is set, but the inode was in memory before it was: the file is not DAX yet",
		  "close the file everywhere, then 'echo 2 >/proc/sys/vm/drop_caches', or mount anew");
}

static void inode(struct probe *p)
{
	const char *dax = probe_dax_option(&p->mount);
	const struct probe_inode *i = &p->inode;

	if (i->obstacle)
		add(p, "inode",
		    cli_format("%s %s: such files are never DAX",
			       p->fd >= 0 ? "the file is"
					  : "a new file there is",
			       i->obstacle),
		    NULL);
	/* Otherwise ext4 takes no notice of the flag. */
	else if (i->journalled && probe_has_option(&p->mount, "nodelalloc"))
		add_plain(p, "inode",
			  "the file is written through the journal (chattr +j): such files are never DAX",
			  "chattr -j, while the file is not in use");
	else if (dax && !strcmp(dax, "never"))
		add(p, "dax-never",
		    cli_format("%s is mounted with dax=never", p->mount.point),
		    cli_format("umount %s, then mount -o dax",
			       p->mount.point));
	else if (i->realtime)
		add_plain(p, "realtime",
			  "the file lies on the realtime device, which gives it no DAX",
			  NULL);
	else if (dax && !strcmp(dax, "always"))
		add(p, "unknown",
		    cli_format("%s is mounted with dax=always, but the kernel does not treat this file as DAX",
			       p->mount.point),
		    NULL);
	else if (i->flag)
		flag_not_in_force(p);
	else
		no_flag(p);
}

/* Why the kernel gives no MAP_SYNC. */
static void refused(struct probe *p)
{
	if (!p->mount.type)
		add(p, "unknown",
		    cli_format("the kernel refuses MAP_SYNC (%s), and the mount is not in /proc/self/mountinfo",
			       probe_error(-p->sync)),
		    NULL);
	else if (file_system(p))
		return;
	else if (p->info.kind == DAX_FILE)
		asynchronous(p);
	else if (!device(p) && !format(p))
		inode(p);
}

/*
 * The rule, and what else the shim needs
 */

static void no_rule(struct probe *p)
{
	bool granted = p->tried && p->sync == 0;
	struct config_env env;
	const char *paths;

	config_read_env(&env, false);
	paths = env.paths;
	if (!paths)
		add(p, "no-rule",
		    cli_strdup("no rule: PMEMSHIM_PATHS is not set, so every DAX mount has one, and this is none"),
		    granted ? cli_format("PMEMSHIM_PATHS='%s'", p->path)
			    : NULL);
	else if (probe_config.nrules == 0)
		add(p, "no-rules",
		    cli_format("PMEMSHIM_PATHS='%s' gives no rule at all",
			       paths),
		    cli_strdup("correct it, or unset it for every DAX mount"));
	else
		add(p, "no-rule",
		    cli_format("no rule of PMEMSHIM_PATHS='%s' matches",
			       paths),
		    cli_format("add '%s' to PMEMSHIM_PATHS", p->path));
}

static void rule_says_no(struct probe *p)
{
	const char *path = p->rule->path_len ? p->rule->path : "/";
	if (p->rule->mode == CONFIG_MODE_OFF)
		add(p, "mode-off",
		    cli_format("the rule for %s says mode=off: as if the shim were absent",
			       path),
		    cli_strdup("take mode=off out of the rule"));
	else
		add(p, "mode-kernel",
		    cli_format("the rule for %s says mode=kernel: every msync is the kernel's",
			       path),
		    cli_strdup("take mode=kernel out of the rule"));
}

/* A rule wants it, the kernel grants it, and yet it is not tracked. */
static void shim_cannot(struct probe *p)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	if (!persist_is_possible())
		add_plain(p, "no-flush",
			  "this processor has no flush instruction that the shim knows",
			  NULL);
	else if (sysconf(_SC_PAGESIZE) != 4096)
		add_plain(p, "page-size",
			  "the shim works with pages of 4 KiB only", NULL);
	else
		add(p, "descriptors",
		    cli_format("the shim gets no descriptor to watch the file with (ulimit -n is %llu)",
			       (unsigned long long)limit.rlim_cur),
		    cli_strdup("raise ulimit -n"));
}

static void assumed(struct probe *p)
{
	add(p, "assume-pmem",
	    cli_format("the rule for %s says assume_pmem=yes: NOTHING IS DURABLE there, it is for tests only",
		       p->rule->path_len ? p->rule->path : "/"),
	    cli_strdup("take assume_pmem=yes out of the rule"));
}

static bool mode_says_no(const struct probe *p)
{
	return p->rule && (p->rule->mode == CONFIG_MODE_OFF ||
			   p->rule->mode == CONFIG_MODE_KERNEL);
}

static void left_to_kernel(struct probe *p)
{
	bool wanted = p->rule && !mode_says_no(p);

	if (mode_says_no(p))
		rule_says_no(p);
	if (wanted && p->outcome == PROBE_KERNEL &&
	    (p->sync == 0 || p->rule->assume_pmem))
		shim_cannot(p);
	if (p->sync != 0)
		refused(p);
	if (!p->rule)
		no_rule(p);
}

/* Reasons that hold whatever a try would have said. */
static bool is_certain(const struct probe *p)
{
	return IS_ONE_OF(p->reasons[p->nreasons - 1].id, "overlayfs", "no-dax-fs",
			 "no-map-sync-fs", "no-device", "no-dax-device",
			 "sector-namespace", "raw-namespace", "block-size",
			 "dax-never");
}

static void not_tried(struct probe *p)
{
	if (mode_says_no(p))
		rule_says_no(p);
	refused(p);
	if (!is_certain(p)) {
		p->nreasons--;
		free(p->reasons[p->nreasons].what);
		free(p->reasons[p->nreasons].todo);
	}
	if (!p->rule)
		no_rule(p);
	p->outcome = p->nreasons > 0 ? PROBE_KERNEL : PROBE_UNKNOWN;
	if (p->nreasons == 0)
		add(p, "not-tried", cli_strdup(p->no_temp),
		    cli_strdup("name an existing file"));
}

static bool requires(const struct probe *p)
{
	return p->rule && p->rule->map_sync == CONFIG_MAP_SYNC_REQUIRE;
}

void probe_why(struct probe *p)
{
	switch (p->outcome) {
	case PROBE_USER:
		return;
	case PROBE_ASSUMED:
		assumed(p);
		refused(p);
		return;
	default:
		break;
	}
	if (p->target == PROBE_OTHER)
		not_a_file(p);
	else if (p->outcome == PROBE_FAILS && !requires(p))
		add_plain(p, "not-mappable", "such a file cannot be mapped",
			  NULL);
	else if (!p->tried)
		not_tried(p);
	else
		left_to_kernel(p);
}
