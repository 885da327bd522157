/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loader.c: which files ld.so would load for a program, see loader.h.
 *
 * Design: the order of ld.so(8): DT_RPATH of who needs it and of those who
 * needed that, unless DT_RUNPATH is there; LD_LIBRARY_PATH; DT_RUNPATH; the
 * cache; the default directories. Of libraries in several versions for
 * several CPUs (glibc-hwcaps) the plain one stands for all.
 */
#include "cli/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/cli.h"

/* For hostile files, which may need anything, anywhere. */
#define OBJECTS_MAX	1024
#define TRIES_MAX	200000

static unsigned int tries;

const char *loader_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int loader_open(const char *path)
{
	struct stat st;
	int fd;

	/* Looked at first: to open a device can do something. */
	if (stat(path, &st) != 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EMEDIUMTYPE;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

/* --- The cache ------------------------------------------------------------ */

#define CACHE_FILE	"/etc/ld.so.cache"
#define CACHE_MAGIC	"glibc-ld.so.cache1.1"

struct cache_header {
	char magic[20];
	uint32_t nentries, strings_len;
	uint32_t unused[5];
};

struct cache_entry {
	int32_t flags;
	uint32_t key, value;	/* offsets of the strings, from the header */
	uint32_t os_version;
	uint64_t hwcap;
};

static struct cache {
	bool read;
	char *bytes;		/* ended by a zero */
	size_t len;
	size_t nentries;
} cache;

static char *read_whole(const char *path, size_t *len)
{
	int fd = loader_open(path);
	struct stat st;
	char *bytes = NULL;
	ssize_t got = -1;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size < (64 << 20)) {
		bytes = cli_alloc((size_t)st.st_size + 1);
		got = pread(fd, bytes, (size_t)st.st_size, 0);
	}
	close(fd);
	*len = got < 0 ? 0 : (size_t)got;
	return bytes;
}

/* Before glibc 2.32 one of the old format stood in front of the new one. */
static size_t cache_start(const char *bytes, size_t len)
{
	static const char old[] = "ld.so-1.7.0";
	uint32_t n;

	if (len < 16 || memcmp(bytes, old, sizeof(old) - 1))
		return 0;
	memcpy(&n, bytes + 12, sizeof(n));
	return (16 + (size_t)n * 12 + 7) & ~(size_t)7;
}

static void cache_read(void)
{
	struct cache_header header;
	size_t start, len;
	char *bytes;

	cache.read = true;
	bytes = read_whole(CACHE_FILE, &len);
	if (!bytes)
		return;
	start = cache_start(bytes, len);
	if (start > len || len - start < sizeof(header))
		goto out_free;
	memcpy(&header, bytes + start, sizeof(header));
	if (memcmp(header.magic, CACHE_MAGIC, sizeof(header.magic)) ||
	    header.nentries > (len - start - sizeof(header)) /
				      sizeof(struct cache_entry))
		goto out_free;
	/* It stays until the end. */
	cache.bytes = bytes + start;
	cache.len = len - start;
	cache.nentries = header.nentries;
	return;
out_free:
	free(bytes);
}

/* The path of entry i, if it is for this name. */
static const char *cache_path(size_t i, const char *name)
{
	struct cache_entry entry;

	memcpy(&entry,
	       cache.bytes + sizeof(struct cache_header) + i * sizeof(entry),
	       sizeof(entry));
	if (entry.hwcap != 0 || entry.key >= cache.len ||
	    entry.value >= cache.len || strcmp(cache.bytes + entry.key, name))
		return NULL;
	return cache.bytes + entry.value;
}

/* --- Directories ------------------------------------------------------------*/

static struct loader_object *read_object(const char *path, bool library,
					 int *err, const char **why);

/* What is at path, if that is an ELF file for this machine. */
static struct loader_object *try_file(const char *path)
{
	const char *why;
	int err;

	if (tries++ >= TRIES_MAX)
		return NULL;
	return read_object(path, true, &err, &why);
}

/* The directory that $ORIGIN stands for: a library's as it was found. */
static char *origin_of(const struct loader_object *object)
{
	char *path = object->parent ? NULL : realpath(object->path, NULL);
	char *dir = cli_strdup(path ? path : object->path);
	char *slash = strrchr(dir, '/');

	free(path);
	if (slash)
		slash[slash == dir] = '\0';
	else
		strcpy(dir, ".");
	return dir;
}

static const char *machine(void)
{
	static struct utsname uts;

	if (!uts.machine[0])
		uname(&uts);
	return uts.machine;
}

/* What stands for one of $ORIGIN, $LIB, $PLATFORM at text, and how long. */
static char *token_value(const char *text, size_t *len,
			 const struct loader_object *object)
{
	static const char *const tokens[] = {"$ORIGIN",	  "${ORIGIN}",
					     "$LIB",	  "${LIB}",
					     "$PLATFORM", "${PLATFORM}"};
	char *lib;
	size_t i;

	for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		*len = strlen(tokens[i]);
		if (!strncmp(text, tokens[i], *len))
			break;
	}
	if (i < 2)
		return origin_of(object);
	if (i >= 4)
		return i < 6 ? cli_strdup(machine()) : NULL;
	lib = cli_format("/lib/%s-linux-gnu", machine());
	if (access(lib, F_OK) != 0)
		strcpy(lib, "/lib64");
	memmove(lib, lib + 1, strlen(lib));
	return lib;
}

/* text[0, len) with its tokens replaced. */
static char *expand(const char *text, size_t len,
		    const struct loader_object *object)
{
	char *out = NULL, *value;
	size_t out_len, i, used;
	FILE *file = open_memstream(&out, &out_len);

	if (!file)
		return cli_strdup("");
	for (i = 0; i < len && ftell(file) < PATH_MAX; i += used) {
		value = text[i] == '$' ? token_value(text + i, &used, object)
				       : NULL;
		if (!value) {
			used = 1;
			putc(text[i], file);
		} else {
			fputs(value, file);
			free(value);
		}
	}
	fclose(file);
	return out;
}

/* A list of directories, an empty one of which is the working directory. */
static struct loader_object *try_list(const char *list, const char *separators,
				      const char *name,
				      const struct loader_object *object)
{
	struct loader_object *found = NULL;

	while (list && !found) {
		size_t len = strcspn(list, separators);
		char *dir = expand(list, len, object);
		char *path = cli_format("%s%s%s", dir, *dir ? "/" : "", name);

		found = try_file(path);
		free(dir);
		free(path);
		list = list[len] ? list + len + 1 : NULL;
	}
	return found;
}

/* A name with a slash is a path. */
static struct loader_object *try_name(const char *name,
				      const struct loader_object *object)
{
	char *path = expand(name, strlen(name), object);
	struct loader_object *found = try_file(path);

	free(path);
	return found;
}

static struct loader_object *try_cache(const char *name)
{
	struct loader_object *found = NULL;
	const char *path;
	size_t i;

	if (!cache.read)
		cache_read();
	for (i = 0; i < cache.nentries && !found; i++) {
		path = cache_path(i, name);
		if (path)
			found = try_file(path);
	}
	return found;
}

static struct loader_object *try_defaults(const char *name,
					  const struct loader_object *object)
{
	char *list = cli_format("/lib/%s-linux-gnu:/usr/lib/%s-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib",
				machine(), machine());
	struct loader_object *found = try_list(list, ":", name, object);

	free(list);
	return found;
}

static struct loader_object *try_rpaths(const char *name,
					const struct loader_object *object)
{
	struct loader_object *found = NULL;

	if (object->elf.runpath)
		return NULL;
	for (; object && !found; object = object->parent)
		if (object->elf.rpath && !object->elf.runpath)
			found = try_list(object->elf.rpath, ":", name, object);
	return found;
}

static struct loader_object *search(const char *name,
				    const struct loader_object *object)
{
	const char *env = getenv("LD_LIBRARY_PATH");
	struct loader_object *found;

	if (strchr(name, '/'))
		return try_name(name, object);
	found = try_rpaths(name, object);
	if (!found && env && *env)
		found = try_list(env, ":;", name, object);
	if (!found && object->elf.runpath)
		found = try_list(object->elf.runpath, ":", name, object);
	if (!found && !object->elf.no_default)
		found = try_cache(name);
	if (!found && !object->elf.no_default)
		found = try_defaults(name, object);
	return found;
}

/* --- Objects ----------------------------------------------------------------*/

static bool is_libc(const char *name)
{
	static const char *const names[] = {
		"libc.so.",	"libpthread.so.", "libdl.so.",
		"librt.so.",	"libm.so.",	  "libresolv.so.",
		"libutil.so.",	"libanl.so.",	  "libmvec.so.",
		"libnsl.so.",	"libBrokenLocale.so.",
		"libnss_",	"libthread_db.so.",
		"ld-linux",	"ld64.so",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(name, names[i], strlen(names[i])))
			return true;
	return false;
}

static void object_free(struct loader_object *object)
{
	elf_file_free(&object->elf);
	free(object->path);
	free(object);
}

/* A library that is damaged is none, as ld.so sees it too: it stops there. */
static struct loader_object *read_object(const char *path, bool library,
					 int *err, const char **why)
{
	struct loader_object *object;
	struct stat st;
	int fd = loader_open(path);

	*err = fd;
	*why = NULL;
	if (fd < 0)
		return NULL;
	object = cli_alloc(sizeof(*object));
	object->path = cli_strdup(path);
	*err = elf_file_read(fd, &object->elf, why);
	if (fstat(fd, &st) == 0) {
		object->dev = st.st_dev;
		object->ino = st.st_ino;
	}
	close(fd);
	if (library && *err == -EINVAL) {
		object->damage = *why;
		return object;
	}
	if (*err == 0 && (!library || object->elf.native)) {
		object->libc = library && is_libc(loader_name(path));
		return object;
	}
	object_free(object);
	return NULL;
}

static bool is_named(const struct loader_object *object, const char *name)
{
	return (object->elf.soname && !strcmp(object->elf.soname, name)) ||
	       (object->parent && !strcmp(loader_name(object->path), name));
}

static bool is_loaded(const struct loader *loader, const char *name)
{
	size_t i;

	for (i = 0; i < loader->nobjects; i++)
		if (is_named(loader->objects[i], name))
			return true;
	for (i = 0; i < loader->nmissing; i++)
		if (!strcmp(loader->missing[i].name, name))
			return true;
	return false;
}

static bool is_same(const struct loader *loader,
		    const struct loader_object *object)
{
	size_t i;

	for (i = 0; i < loader->nobjects; i++)
		if (loader->objects[i]->dev == object->dev &&
		    loader->objects[i]->ino == object->ino)
			return true;
	return false;
}

static void add_object(struct loader *loader, struct loader_object *object)
{
	loader->objects =
		cli_realloc(loader->objects,
			    (loader->nobjects + 1) * sizeof(struct loader_object *));
	loader->objects[loader->nobjects++] = object;
}

static void add_missing(struct loader *loader, const char *name,
			const struct loader_object *parent)
{
	loader->missing = cli_realloc(loader->missing,
				      (loader->nmissing + 1) *
					      sizeof(*loader->missing));
	loader->missing[loader->nmissing++] =
		(struct loader_missing){cli_strdup(name), parent};
}

static void load_needed(struct loader *loader, const char *name,
			struct loader_object *parent)
{
	struct loader_object *object;

	if (is_loaded(loader, name))
		return;
	if (loader->nobjects + loader->nmissing >= OBJECTS_MAX) {
		loader->too_many = true;
		return;
	}
	object = search(name, parent);
	if (!object) {
		add_missing(loader, name, parent);
	} else if (is_same(loader, object)) {
		object_free(object);
	} else {
		object->parent = parent;
		add_object(loader, object);
	}
}

int loader_load(const char *path, struct loader *loader, const char **why)
{
	struct loader_object *object;
	size_t i, k;
	int err;

	*loader = (struct loader){0};
	tries = 0;
	object = read_object(path, false, &err, why);
	if (!object)
		return err;
	add_object(loader, object);
	/* It grows while it is walked: what is needed by what was needed. */
	for (i = 0; i < loader->nobjects; i++)
		for (k = 0; k < loader->objects[i]->elf.nneeded; k++)
			load_needed(loader, loader->objects[i]->elf.needed[k],
				    loader->objects[i]);
	loader->too_many |= tries >= TRIES_MAX;
	return 0;
}

void loader_free(struct loader *loader)
{
	size_t i;

	for (i = 0; i < loader->nobjects; i++)
		object_free(loader->objects[i]);
	for (i = 0; i < loader->nmissing; i++)
		free(loader->missing[i].name);
	free(loader->objects);
	free(loader->missing);
	*loader = (struct loader){0};
}
