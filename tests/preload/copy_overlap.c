/* SPDX-License-Identifier: BSD-3-Clause */
/* Distances around a line and a page, both ways. */
#include "t_preload.h"

void *old_memcpy(void *, const void *, size_t);
__asm__(".symver old_memcpy, memcpy@GLIBC_2.2.5");

static char model[8 * 4096];

static int is_right(char *base, void *(*copy)(void *, const void *, size_t),
		    long distance, size_t n)
{
	char *s = base + 8192, *d = s + distance;

	for (size_t i = 0; i < sizeof(model); i++)
		base[i] = model[i] = (char)(i * 13 + i / 253);
	/* by the byte, in the direction that works */
	for (size_t i = 0; i < n; i++) {
		size_t k = distance < 0 ? i : n - 1 - i;

		model[8192 + distance + (long)k] = model[8192 + k];
	}
	return copy(d, s, n) == d && memcmp(base, model, sizeof(model)) == 0;
}

int main(void)
{
	static const size_t lengths[] = { 63, 64, 100, 255, 256, 1000, 8000 };
	char *p = t_map_synced(t_open("data", sizeof(model)), sizeof(model));
	void *(*const copies[])(void *, const void *, size_t) = { old_memcpy, memmove };

	for (int c = 0; c < 2; c++)
		for (int l = 0; l < 7; l++)
			for (long k = -130; k <= 130; k++) {
				long distance = k > 120 ? k * 31 : k < -120 ? k * 31 : k;

				if (!is_right(p, copies[c], distance, lengths[l]))
					printf("%d %ld %zu WRONG\n", c, distance, lengths[l]);
			}
	printf("compared\n");
	return 0;
}
