/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * path.c: a path by the file that it names, not by its spelling.
 */
#include "config/path.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Lexically, in place: no empty component, no ".", no "..", no last slash. */
static void normalise(char *path)
{
	const char *in = path;
	char *out = path;
	size_t n;

	for (; *in != '\0'; in += n) {
		in += strspn(in, "/");
		n = strcspn(in, "/");
		if (n == 0 || (n == 1 && in[0] == '.'))
			continue;
		if (n == 2 && in[0] == '.' && in[1] == '.') {
			while (out > path && *--out != '/')
				;
			continue;
		}
		*out++ = '/';
		memmove(out, in, n);
		out += n;
	}
	*out = '\0';
}

/* Take the last component off; false when there was none. */
static bool strip_component(char *path)
{
	size_t len = strlen(path);

	while (len > 0 && path[len - 1] == '/')
		len--;
	if (len == 0)
		return false;
	while (len > 1 && path[len - 1] != '/')
		len--;
	path[len] = '\0';
	return true;
}

int path_resolve(const char *path, char out[PATH_MAX])
{
	static char head[PATH_MAX];
	const size_t path_len = strlen(path);
	size_t out_len;
	size_t head_len;
	int err = 0;

	memcpy(head, path, path_len + 1);
	while (!realpath(head, out)) {
		if (err == 0)
			err = -errno;
		if (!strip_component(head)) {
			strcpy(out, "/");
			break;
		}
	}
	/*
	 * What is missing may be made later, where its existing parents
	 * really are: /var/run/db has to match as /run/db.
	 */
	head_len = strlen(head);
	out_len = strlen(out);
	if (out_len + 1 + path_len - head_len >= PATH_MAX) {
		memcpy(out, path, path_len + 1);
	} else if (head_len < path_len) {
		out[out_len++] = '/';
		memcpy(out + out_len, path + head_len, path_len - head_len + 1);
	}
	normalise(out);
	return err;
}
