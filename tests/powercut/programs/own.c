/* SPDX-License-Identifier: BSD-3-Clause */
/* own.c: see own.h. */
#define _GNU_SOURCE
#include "own.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t own_random(uint64_t seed, uint64_t n)
{
	uint64_t z = seed * 0x2545f4914f6cdd1d + n * 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t own_sum(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t sum = 14695981039346656037u;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ p[i]) * 1099511628211u;
	return sum;
}

void own_must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(3);
}

const char *own_say(const char *format, ...)
{
	static char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return text;
}

static void map(struct own_file *file, size_t len)
{
	file->map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED,
			 file->fd, 0);
	own_must(file->map != MAP_FAILED, "mmap");
	file->len = len;
}

static void extend_by_write(int fd, size_t from, size_t to)
{
	static const char zeros[OWN_PAGE];

	for (size_t i = from; i < to; i += OWN_PAGE)
		own_must(pwrite(fd, zeros, OWN_PAGE, (off_t)i) == OWN_PAGE,
			 "pwrite");
}

static void extend(struct own_file *file, size_t from, size_t to)
{
	switch (file->growths++ % 3) {
	case 0:
		own_must(ftruncate(file->fd, (off_t)to) == 0, "ftruncate");
		break;
	case 1:
		own_must(posix_fallocate(file->fd, (off_t)from,
					 (off_t)(to - from)) == 0,
			 "posix_fallocate");
		break;
	default:
		extend_by_write(file->fd, from, to);
	}
}

void own_create(struct own_file *file, const char *dir, const char *name,
		size_t len)
{
	memset(file, 0, sizeof(*file));
	snprintf(file->path, sizeof(file->path), "%s/%s", dir, name);
	file->fd = open(file->path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	own_must(file->fd >= 0, file->path);
	extend(file, 0, len);
	map(file, len);
}

/* Every other time by a new mapping, whose first sync is the kernel's. */
static void remap(struct own_file *file, size_t len)
{
	if (file->growths % 2) {
		own_must(munmap(file->map, file->len) == 0, "munmap");
		map(file, len);
		return;
	}
	file->map = mremap(file->map, file->len, len, MREMAP_MAYMOVE);
	own_must(file->map != MAP_FAILED, "mremap");
	file->len = len;
}

void own_grow(struct own_file *file, size_t len)
{
	extend(file, file->len, len);
	remap(file, len);
}

void own_shrink(struct own_file *file, size_t len)
{
	own_must(ftruncate(file->fd, (off_t)len) == 0, "ftruncate");
	remap(file, len);
}

void own_sync(struct own_file *file, size_t offset, size_t len)
{
	size_t from = offset & ~(size_t)(OWN_PAGE - 1);

	own_must(msync(file->map + from, offset + len - from, MS_SYNC) == 0,
		 "msync");
}

char *own_read(const char *dir, const char *name, size_t *len)
{
	char path[4096], *data;
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return NULL;
	own_must(fstat(fd, &st) == 0, path);
	*len = (size_t)st.st_size;
	data = malloc(*len + 1);
	own_must(data && read(fd, data, *len) == (ssize_t)*len, path);
	close(fd);
	return data;
}

/* So that a program counter in the trace finds its name. */
static void save_maps(const char *path)
{
	FILE *maps = fopen("/proc/self/maps", "r"), *out;
	int c;

	out = path ? fopen(path, "w") : NULL;
	while (maps && out && (c = getc(maps)) != EOF)
		putc(c, out);
	if (maps)
		fclose(maps);
	own_must(!path || (out && fclose(out) == 0), "the maps");
}

static int run(const struct own_program *program, char **argv)
{
	save_maps(getenv("POWERCUT_MAPS"));
	/* The directory itself, and all that came before. */
	sync();
	mark_begin();
	program->run(argv[2], strtoull(argv[3], NULL, 0),
		     strtoull(argv[4], NULL, 0));
	mark_end();
	return 0;
}

static int check(const struct own_program *program, int argc, char **argv)
{
	struct own_bounds bounds[OWN_STREAMS] = { 0 };
	const char *wrong;

	for (int i = 4; i < argc && i < 4 + OWN_STREAMS; i++) {
		char *end;

		bounds[i - 4].acked = strtoull(argv[i], &end, 0);
		bounds[i - 4].begun = *end ? strtoull(end + 1, NULL, 0)
					   : bounds[i - 4].acked;
	}
	wrong = program->check(argv[2], strtoull(argv[3], NULL, 0), bounds);
	if (!wrong)
		return 0;
	puts(wrong);
	return 1;
}

int own_main(const struct own_program *program, int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "run") == 0)
		return run(program, argv);
	if (argc >= 5 && strcmp(argv[1], "check") == 0)
		return check(program, argc, argv);
	fprintf(stderr, "usage: %s run DIR SEED OPS | check DIR SEED ACK:INTENT...\n",
		argv[0]);
	return 2;
}
