/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stat_find.c: which statistics files a FILE, a DIR or a PID stands for.
 *
 * Design: a name that was given is read whatever is in it, so that its fault
 * can be told; of the names that were only found, those that are no statistics
 * (or none yet: a process that is just starting) are passed over in silence.
 */
#include "cli/stat_find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "shim/stats_file.h"

static void add(struct stat_files *files, const char *path)
{
	files->paths = cli_realloc(files->paths,
				   (files->n + 1) * sizeof(*files->paths));
	files->paths[files->n++] = cli_strdup(path);
}

void stat_files_free(struct stat_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->paths[i]);
	free(files->paths);
	*files = (struct stat_files){ 0 };
}

/* Whatever its version: that is for the reader to say. */
static bool has_magic(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint64_t magic = 0;
	ssize_t n = fd < 0 ? 0 : pread(fd, &magic, sizeof(magic), 0);

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)sizeof(magic) &&
	       (magic == STATS_FILE_MAGIC ||
		magic == __builtin_bswap64(STATS_FILE_MAGIC));
}

/*
 * Directories
 */

/* Whether a directory's entry is wanted, by its name alone. */
typedef bool (*wanted_fn)(const char *name, const char *stem);

static bool any_name(const char *name, const char *stem)
{
	(void)stem;
	return name[0] != '.';
}

static const char *skip_digits(const char *text)
{
	return text + strspn(text, "0123456789");
}

/* "" or ".NUMBER", once or twice. */
static bool is_number_suffix(const char *text)
{
	for (int i = 0; i < 2 && *text == '.' && text[1]; i++)
		text = skip_digits(text + 1);
	return *text == '\0';
}

/* STEM, STEM.PID or STEM.PID.NUMBER, with any number for %p. */
static bool is_of_stem(const char *name, const char *stem)
{
	for (; *stem; stem++) {
		if (stem[0] == '%' && stem[1] == 'p') {
			if (skip_digits(name) == name)
				return false;
			name = skip_digits(name);
			stem++;
		} else if (*name++ != *stem) {
			return false;
		}
	}
	return is_number_suffix(name);
}

/* By version: pmemshim.9 before pmemshim.10. */
static int compare(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*a)->d_name, (*b)->d_name);
}

/* Those in dir that are wanted, but for path, which is there already. */
static bool add_from(struct stat_files *files, const char *dir,
		     wanted_fn wanted, const char *stem, const char *except)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, NULL, compare);

	if (n < 0)
		return false;
	for (int i = 0; i < n; i++) {
		char *path = cli_format("%s%s%s", dir,
					dir[strlen(dir) - 1] == '/' ? "" : "/",
					entries[i]->d_name);

		if (wanted(entries[i]->d_name, stem) &&
		    (!except || strcmp(entries[i]->d_name, except)) &&
		    has_magic(path))
			add(files, path);
		free(path);
		free(entries[i]);
	}
	free(entries);
	return true;
}

/*
 * Processes
 */

bool stat_is_process(const char *target)
{
	return *target && *skip_digits(target) == '\0' &&
	       access(target, F_OK) != 0;
}

/* A line of /proc/PID/maps: a shared writable mapping of a file. */
struct mapping {
	unsigned long start, end;
	uint64_t inode;
	char *path;
};

/* The word at *at, which is left behind it; NULL at the line's end. */
static char *take_word(char **at)
{
	char *word;

	*at += strspn(*at, " ");
	word = *at;
	*at += strcspn(*at, " \n");
	return *at > word ? word : NULL;
}

/* START-END ACCESS OFFSET DEVICE INODE PATH; false when it is no such one. */
static bool parse_mapping(char *line, struct mapping *mapping)
{
	char *range = take_word(&line), *access = take_word(&line), *inode;
	char *dash = range ? strchr(range, '-') : NULL;

	if (!dash || !access || strncmp(access, "rw-s ", 5) ||
	    !take_word(&line) || !take_word(&line))
		return false;
	inode = take_word(&line);
	if (!inode)
		return false;
	mapping->start = strtoul(range, NULL, 16);
	mapping->end = strtoul(dash + 1, NULL, 16);
	mapping->inode = strtoull(inode, NULL, 10);
	mapping->path = line + strspn(line, " ");
	mapping->path[strcspn(mapping->path, "\n")] = '\0';
	return mapping->path[0] == '/';
}

/* The file behind a mapping, wherever the process sees it; NULL: another. */
static char *statistics_of(int pid, const struct mapping *mapping)
{
	char *path = cli_format("/proc/%d/root%s", pid, mapping->path);

	if (has_magic(mapping->path)) {
		free(path);
		return cli_strdup(mapping->path);
	}
	if (has_magic(path))
		return path;
	/* Removed, or in another mount: only root may go this way. */
	free(path);
	path = cli_format("/proc/%d/map_files/%lx-%lx", pid, mapping->start,
			  mapping->end);
	if (has_magic(path))
		return path;
	free(path);
	return NULL;
}

/* 0 and *path, NULL when there is none; or an errno. */
static int find_mapped(int pid, char **path)
{
	char *name = cli_format("/proc/%d/maps", pid), *line = NULL;
	FILE *maps = fopen(name, "re");
	struct mapping mapping;
	size_t size = 0;

	*path = NULL;
	free(name);
	if (!maps)
		return errno;
	while (!*path && getline(&line, &size, maps) > 0)
		if (parse_mapping(line, &mapping))
			*path = statistics_of(pid, &mapping);
	free(line);
	fclose(maps);
	return 0;
}

static bool add_process(struct stat_files *files, const char *target)
{
	uint64_t pid;
	char *path;
	int error;

	if (!cli_parse_number(target, 1, INT_MAX, &pid)) {
		cli_error("%s: %s", target, "no such file or process");
		return false;
	}
	error = find_mapped((int)pid, &path);
	if (error == ENOENT)
		cli_error("%s: %s", target, "no such file or process");
	else if (error)
		cli_error("process %s: %s", target, strerrordesc_np(error));
	else if (!path)
		cli_error("process %s: %s", target,
			  "it keeps no statistics: it runs without the shim, without PMEMSHIM_STATS or without a rule");
	else
		add(files, path);
	free(path);
	return path != NULL;
}

bool stat_is_mapped(int pid, const char *path)
{
	char *name = cli_format("/proc/%d/maps", pid), *line = NULL;
	FILE *maps = fopen(name, "re");
	struct mapping mapping;
	struct stat st;
	bool found = !maps || stat(path, &st) != 0;
	size_t size = 0;

	free(name);
	/* Not the device: btrfs and overlayfs show another one there. */
	while (!found && getline(&line, &size, maps) > 0)
		found = parse_mapping(line, &mapping) &&
			mapping.inode == st.st_ino;
	free(line);
	if (maps)
		fclose(maps);
	return found;
}

/*
 * Targets
 */

static bool add_file(struct stat_files *files, const char *target, bool exists)
{
	const char *slash = strrchr(target, '/');
	const char *stem = slash ? slash + 1 : target;
	char *dir = slash == target ? cli_strdup("/")
		  : slash ? cli_format("%.*s", (int)(slash - target), target)
		  : cli_strdup(".");
	size_t before = files->n;

	if (exists)
		add(files, target);
	add_from(files, dir, is_of_stem, stem, exists ? stem : NULL);
	free(dir);
	if (files->n == before)
		cli_error("%s: %s", target, strerrordesc_np(ENOENT));
	return files->n > before;
}

static bool add_directory(struct stat_files *files, const char *target)
{
	size_t before = files->n;

	if (!add_from(files, target, any_name, NULL, NULL))
		cli_error("%s: %s", target, strerrordesc_np(errno));
	else if (files->n == before)
		cli_error("%s: %s", target, "no statistics in this directory");
	return files->n > before;
}

bool stat_find(struct stat_files *files, const char *target)
{
	struct stat st;

	if (stat_is_process(target))
		return add_process(files, target);
	if (stat(target, &st) == 0)
		return S_ISDIR(st.st_mode) ? add_directory(files, target)
					   : add_file(files, target, true);
	if (errno == ENOENT)
		return add_file(files, target, false);
	cli_error("%s: %m", target);
	return false;
}
