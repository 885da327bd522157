/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_mounts.c: a table of mounts. The walk finds what a slow reader with the
 * whole text before it finds.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/mounts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(what) do { if (!(what)) __builtin_trap(); } while (0)
#define FOUND_MAX	1000

static char *found[FOUND_MAX];
static size_t nfound;

static bool note(void *arg, const char *path)
{
	REQUIRE(arg == found);
	REQUIRE(*path == '\0' || *path == '/');
	REQUIRE(strlen(path) < PATH_MAX);
	found[nfound++] = strdup(path);
	return nfound < FOUND_MAX;
}

/* \ooo up to \377 is a byte. */
static void decode(char *text)
{
	char *out = text;

	for (; *text; out++) {
		unsigned int byte;
		int n = 0;

		if (*text == '\\' && strspn(text + 1, "01234567") >= 3 &&
		    text[1] <= '3' && sscanf(text + 1, "%3o%n", &byte, &n) == 1) {
			*out = (char)byte;
			text += 4;
		} else {
			*out = *text++;
		}
	}
	*out = '\0';
}

/* dax=always or dax, unless dax=never comes later: the last word counts. */
static bool says_dax(char *options)
{
	bool says = false;
	char *word;

	while ((word = strsep(&options, ","))) {
		if (!strcmp(word, "dax") || !strcmp(word, "dax=always"))
			says = true;
		else if (!strcmp(word, "dax=never"))
			says = false;
	}
	return says;
}

/* Whether the line is a mount with DAX, and its point. */
static bool read_line(char *line, char **point)
{
	char *field[64], *p;
	int n = 0, dash;

	while (n < 64 && (p = strsep(&line, " ")))
		field[n++] = p;
	for (dash = 6; dash < n && strcmp(field[dash], "-"); dash++)
		;
	if (dash + 3 >= n)
		return false;
	*point = field[4];
	if (strlen(*point) >= (size_t)4 * PATH_MAX)
		return false;
	decode(*point);
	return **point == '/' && strlen(*point) < PATH_MAX &&
	       says_dax(field[dash + 3]);
}

static void compare(char *text)
{
	size_t i = 0;
	char *line, *point;

	while ((line = strsep(&text, "\n"))) {
		if (!read_line(line, &point))
			continue;
		REQUIRE(i < nfound);
		REQUIRE(!strcmp(found[i++], strcmp(point, "/") ? point : ""));
		if (i == FOUND_MAX)
			return;
	}
	REQUIRE(i == nfound);
}

/* What the slow reader does not do: bytes of 0, and fields beyond its table. */
static bool is_plain(const char *text, size_t size)
{
	size_t spaces = 0;

	for (size_t i = 0; i < size; i++) {
		spaces = text[i] == '\n' ? 0 : spaces + (text[i] == ' ');
		if (text[i] == '\0' || spaces > 60)
			return false;
	}
	return !strstr(text, "\\000");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("mounts", 0);
	char name[64], *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	REQUIRE(pwrite(fd, data, size, 0) == (ssize_t)size);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	nfound = 0;
	REQUIRE(mounts_walk_dax(name, "/nonexistent", note, found) == 0);
	if (is_plain(text, size))
		compare(text);
	while (nfound)
		free(found[--nfound]);
	free(text);
	close(fd);
	return 0;
}
