/* SPDX-License-Identifier: BSD-3-Clause */
/* The compiler knows the size of one buffer and not the length. */
#include "t_preload.h"

static struct { char bytes[256]; } here;
static struct { wchar_t chars[64]; } wide;

#define CASE(name, call) \
	if (all || !strcmp(what, name)) { \
		call; \
		if (all) \
			memcpy(p + 64, &here, copied); \
	}

int main(int argc, char **argv)
{
	const char *what = argv[argc - 1];
	char *p = t_map_synced(t_open("data", T_PAGE), T_PAGE);
	void *volatile end;
	const int all = !strcmp(what, "fine");
	volatile size_t n = all ? 256 : 257, w = all ? 64 : 65, copied = 256;

	end = NULL;
	printf("%s\n", what);
	fflush(stdout);
	p[3] = 'x';
	CASE("memcpy", memcpy(here.bytes, p, n))
	CASE("memmove", memmove(here.bytes, p + 1, n))
	CASE("mempcpy", end = mempcpy(here.bytes, p, n))
	CASE("memset", memset(here.bytes, 7, n))
	CASE("wmemcpy", wmemcpy(wide.chars, (wchar_t *)(void *)p, w))
	SAY(p[64] + p[319]);
	SAY(end == here.bytes + n);
	if (all)
		__builtin___memset_chk(p, 1, copied, copied);
	SAY(p[0] + p[255]);
	SAY(msync(p, T_PAGE, MS_SYNC));
	return 0;
}
