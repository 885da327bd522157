/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe_device.c: from a device number to the namespace, the region and the
 * bus it lies in.
 *
 * Design: sysfs is a tree, and the device's place in it is its real path:
 * .../ndbus0/region0/pfn0.1/block/pmem0/pmem0p1 (kernel 6.1). Names are read
 * off that path, and attributes from the directories on it. The persistence
 * domain that counts is what dax.c finds; what is kept here is its spelling.
 */
#include "cli/probe.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "cli/cli.h"
#include "shim/compiler.h"

/* The first line of DIRECTORY/NAME, or NULL. */
static char *attribute(const char *directory, const char *name)
{
	char *path = cli_format("%s/%s", directory, name);
	FILE *file = fopen(path, "re");
	char line[256];
	char *value = NULL;

	if (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		value = cli_strdup(line);
	}
	if (file)
		fclose(file);
	free(path);
	return value;
}

/* Decimal or 0x; false when it is not there or not for this user. */
static bool number(const char *directory, const char *name, uint64_t *value)
{
	char *text = attribute(directory, name), *end;
	bool good = text && *text;

	if (good) {
		*value = strtoull(text, &end, 0);
		good = *end == '\0';
	}
	free(text);
	return good;
}

static bool says_one(const char *directory, const char *name)
{
	uint64_t value;

	return number(directory, name, &value) && value == 1;
}

/* A partition has no queue of its own: its disk, the parent directory, has. */
static bool has_dax(const char *sysfs)
{
	return says_one(sysfs, "queue/dax") || says_one(sysfs, "../queue/dax");
}

/*
 * The part of the path up to and with the last component that begins with
 * prefix and a digit; *below is what follows, or NULL at the end of the path.
 */
static char *ancestor(const char *path, const char *prefix, const char **below)
{
	size_t len = strlen(prefix);
	const char *at = path, *found = NULL;

	for (at = strchr(path, '/'); at; at = strchr(at + 1, '/'))
		if (!strncmp(at + 1, prefix, len) && at[1 + len] >= '0' &&
		    at[1 + len] <= '9')
			found = at;
	if (!found)
		return NULL;
	at = strchr(found + 1, '/');
	*below = at ? at + 1 : NULL;
	return at ? cli_format("%.*s", (int)(at - path), path)
		  : cli_strdup(path);
}

static char *last_component(const char *path)
{
	return cli_strdup(strrchr(path, '/') + 1);
}

/* As ndctl calls them. */
static const char *mode_of(const char *child, const char *namespace_directory)
{
	char *mode;
	bool raw;

	if (!strncmp(child, "pfn", 3))
		return "fsdax";
	if (!strncmp(child, "btt", 3))
		return "sector";
	if (!strncmp(child, "dax", 3))
		return "devdax";
	mode = attribute(namespace_directory, "mode");
	raw = !mode || !strcmp(mode, "raw");
	free(mode);
	return raw ? "raw" : "fsdax";
}

/* pfn0.1 and its like have the attribute "namespace"; namespace0.0 is one. */
static void look_at_namespace(struct probe_device *d, const char *region,
			      const char *below)
{
	char *child = cli_format("%.*s", (int)strcspn(below, "/"), below);
	char *directory = cli_format("%s/%s", region, child);

	d->namespace = attribute(directory, "namespace");
	if (!d->namespace)
		d->namespace = cli_strdup(child);
	d->mode = mode_of(child, directory);
	number(directory, "align", &d->align);
	d->start_known = number(directory, "resource", &d->start);
	free(directory);
	free(child);
}

static void look_at_region(struct probe_device *d)
{
	const char *below;
	char *region = ancestor(d->sysfs, "region", &below);
	char *bus = ancestor(d->sysfs, "ndbus", &(const char *){ NULL });

	if (region) {
		d->region = last_component(region);
		d->domain = attribute(region, "persistence_domain");
		if (below)
			look_at_namespace(d, region, below);
	}
	if (bus)
		d->provider = attribute(bus, "provider");
	free(region);
	free(bus);
}

static int is_part(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The first part of a volume that has no DAX. */
static void look_at_parts(struct probe_device *d)
{
	char *directory = cli_format("%s/slaves", d->sysfs);
	struct dirent **parts = NULL;
	int n = scandir(directory, &parts, is_part, alphasort);

	d->mapped = n > 0;
	while (n-- > 0) {
		char *part = cli_format("%s/%s", directory, parts[n]->d_name);

		if (!has_dax(part)) {
			free(d->refusing_part);
			d->refusing_part = cli_strdup(parts[n]->d_name);
		}
		free(part);
		free(parts[n]);
	}
	free(parts);
	free(directory);
}

void probe_device(const struct dax_info *info, struct probe_device *d)
{
	bool device_dax = info->kind == DAX_DEVICE;
	char path[64];
	uint64_t sectors;

	memset(d, 0, sizeof(*d));
	/* Major 0 is no block device (proc(5), tmpfs and its like). */
	if (major(info->dev) == 0)
		return;
	snprintf(path, sizeof(path), "/sys/dev/%s/%u:%u",
		 device_dax ? "char" : "block", major(info->dev),
		 minor(info->dev));
	d->sysfs = realpath(path, NULL);
	if (!d->sysfs)
		return;
	d->name = last_component(d->sysfs);
	d->dax = device_dax || has_dax(d->sysfs);
	if (number(d->sysfs, "start", &sectors))
		d->partition = sectors * 512;
	look_at_parts(d);
	look_at_region(d);
	/* What device-DAX really maps by, since 5.10. */
	if (device_dax)
		number(d->sysfs, "align", &d->align);
}

void probe_device_free(struct probe_device *d)
{
	free(d->sysfs);
	free(d->name);
	free(d->namespace);
	free(d->region);
	free(d->provider);
	free(d->domain);
	free(d->refusing_part);
	memset(d, 0, sizeof(*d));
}
