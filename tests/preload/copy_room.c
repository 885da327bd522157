/* SPDX-License-Identifier: BSD-3-Clause */
/* argv[1] is a function that checks the room in the mapping: 300 bytes into 256 of them. */
#include "t_preload.h"

void __explicit_bzero_chk(void *, size_t, size_t);
#define SYMBOL(result, name, parameters, next) result name parameters;
#include "shim/symbols.def"
#undef SYMBOL

static wchar_t source[300];
#define W(p)	((wchar_t *)(void *)(p))
#define CASE(call)	if (!strncmp(what, #call, strlen(what))) call

int main(int argc, char **argv)
{
	const char *what = argv[argc - 1];
	char *p = t_map_synced(t_open("data", T_PAGE), T_PAGE);

	CASE(__memcpy_chk(p, source, 300, 256));
	CASE(__memmove_chk(p, source, 300, 256));
	CASE(__mempcpy_chk(p, source, 300, 256));
	CASE(__memset_chk(p, 'x', 300, 256));
	CASE(__explicit_bzero_chk(p, 300, 256));
	CASE(__wmemcpy_chk(W(p), source, 300, 256));
	CASE(__wmemmove_chk(W(p), source, 300, 256));
	CASE(__wmempcpy_chk(W(p), source, 300, 256));
	CASE(__wmemset_chk(W(p), L'x', 300, 256));
	return 0;
}
