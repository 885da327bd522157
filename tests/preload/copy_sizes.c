/* SPDX-License-Identifier: BSD-3-Clause */
/* argv has nothing to say; each line is a function, a length and a misalignment. */
#include "t_preload.h"

#define ROOM	(20 * T_PAGE)

void __bzero(void *d, size_t n);
static char source[ROOM];

enum { RETURNS_DST, RETURNS_END, RETURNS_NOTHING };

#define WIDE(call) ((void *)(call))
#define W(p) ((wchar_t *)(void *)(p))
#define EACH_COPY(X) \
	X(memcpy(d, s, n), 0, 1) X(memmove(d, s, n), 0, 1) \
	X(mempcpy(d, s, n), 1, 1) X(__mempcpy(d, s, n), 1, 1) \
	X((bcopy(s, d, n), (void *)0), 2, 1) \
	X(__builtin___memcpy_chk(d, s, n, room), 0, 1) \
	X(__builtin___memmove_chk(d, s, n, room), 0, 1) \
	X(__builtin___mempcpy_chk(d, s, n, room), 1, 1) \
	X(WIDE(wmemcpy(W(d), W(s), n / 4)), 0, 4) \
	X(WIDE(wmemmove(W(d), W(s), n / 4)), 0, 4) \
	X(WIDE(wmempcpy(W(d), W(s), n / 4)), 1, 4)
#define EACH_SET(X) \
	X(memset(d, 0, n), 0, 0) X(memset(d, 0x1a5, n), 0, 0xa5) \
	X((bzero(d, n), (void *)0), 2, 0) X((__bzero(d, n), (void *)0), 2, 0) \
	X((explicit_bzero(d, n), (void *)0), 2, 0) \
	X(__builtin___memset_chk(d, 0x5a, n, room), 0, 0x5a) \
	X(WIDE(wmemset(W(d), 0x07070707, n / 4)), 0, 7) \
	X(WIDE(wmemset(W(d), -1, n / 4)), 0, 255) \
	X(WIDE(wmemset(W(d), 0, n / 4)), 0, 0)

static void judge(const char *name, char *d, size_t n, void *r, int returns,
		  const char *expected, int fill)
{
	int right = returns == RETURNS_NOTHING ||
		    r == (returns == RETURNS_END ? d + n : d);

	for (size_t i = 0; right && i < n; i++)
		right = d[i] == (expected ? expected[i] : (char)fill);
	for (size_t i = 1; right && i < 128; i++)
		right = d[-(long)i] == 'b' && d[n + i - 1] == 'b';
	printf("%.20s %zu %s\n", name, n, right ? "right" : "WRONG");
	for (size_t i = 0; i < n; i++)
		d[i] = 'b';
}

int main(void)
{
	static const size_t lengths[] = { 252, 256, 260, 5000, 70000 };
	char *p = t_map_synced(t_open("data", ROOM), ROOM);
	volatile size_t room = ROOM;

	for (size_t i = 0; i < ROOM; i++) {
		source[i] = (char)(i * 7 + i / 251);
		p[i] = 'b';
	}
	for (int l = 0; l < 5; l++)
		for (int a = 0; a < 4; a++) {
			size_t n = lengths[l];
			char *s = source + 4 + 12 * a, *d = p + 256 + 20 * a;

#define COPY(call, returns, unit) judge(#call, d, n, call, returns, s, 0);
#define SET(call, returns, byte) judge(#call, d, n, call, returns, NULL, byte);
			EACH_COPY(COPY)
			EACH_SET(SET)
		}
	return 0;
}
