/* SPDX-License-Identifier: BSD-3-Clause */
/* Sixteen slots of memory, two tracked files, one untracked; a model of all three. */
#include "t_preload.h"

#define SLOTS	16
#define PAGES	8	/* of each file */

/* What lies in a slot: a file (2: no rule; -1: nothing) and its page. */
static struct { int file, page, prot; } slot[SLOTS];
static char model[3][PAGES * 4096];
static int fds[3];
static char *arena;
static FILE *must;

static char *at(int i)
{
	return arena + (size_t)i * T_PAGE;
}

static void clear(int i)
{
	slot[i].file = -1;
}

/* n slots from i on show file f from page g on. */
static void step_map(int i, int n, int f, int g)
{
	T_REQUIRE(mmap(at(i), (size_t)n * T_PAGE, T_RW, MAP_SHARED | MAP_FIXED,
		       fds[f], (off_t)g * 4096) == at(i));
	for (int k = 0; k < n; k++) {
		slot[i + k].file = f;
		slot[i + k].page = g + k;
		slot[i + k].prot = T_RW;
	}
}

static void step_unmap(int i, int n, int raw)
{
	T_REQUIRE((raw ? (int)syscall(SYS_munmap, at(i), n * T_PAGE)
		       : munmap(at(i), (size_t)n * T_PAGE)) == 0);
	for (int k = 0; k < n; k++)
		clear(i + k);
	/* a hole; or reserved again, by a call that is seen */
	if (!raw && n % 2)
		return;
	T_REQUIRE(mmap(at(i), (size_t)n * T_PAGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at(i));
}

static void step_move(int i, int j)
{
	if (i == j || slot[i].file < 0)
		return;
	T_REQUIRE(mremap(at(i), T_PAGE, T_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 at(j)) == at(j));
	slot[j] = slot[i];
	step_unmap(i, 1, 0);
}

static void step_store(int i, int value)
{
	size_t offset = (size_t)rand() % 3800, len = (size_t)rand() % 250;

	if (slot[i].file < 0 || slot[i].prot != T_RW)
		return;
	memset(at(i) + offset, value, len);
	memset(model[slot[i].file] + slot[i].page * 4096 + offset, value, len);
}

static int step_sync(int i, int n)
{
	int foreign = 0;

	for (int k = 0; k < n; k++)
		foreign |= slot[i + k].file < 0 || slot[i + k].file == 2;
	if (foreign)
		fprintf(must, "%p %zu\n", (void *)at(i), (size_t)n * T_PAGE);
	return msync(at(i), (size_t)n * T_PAGE, MS_SYNC);
}

static int step(void)
{
	int i = rand() % SLOTS, n = 1 + rand() % 4, f = rand() % 3;

	n = n > SLOTS - i ? SLOTS - i : n;
	switch (rand() % 10) {
	case 0: case 1: step_map(i, n, f, rand() % (PAGES - n + 1)); return 0;
	case 2: step_unmap(i, n, rand() % 2); return 0;
	case 3: step_move(i, rand() % SLOTS); return 0;
	case 4: slot[i].prot = rand() % 3 ? T_RW : PROT_NONE;
		return mprotect(at(i), T_PAGE,
				slot[i].file < 0 ? PROT_NONE : slot[i].prot);
	case 5: case 6: step_store(i, rand()); return 0;
	default: return step_sync(i, n);
	}
}

int main(int argc, char **argv)
{
	unsigned int hash = 0;
	char page[4096];

	srand((unsigned int)atoi(argv[1]));
	must = fopen(argv[argc - 1], "w");
	for (int f = 0; f < 3; f++) {
		fds[f] = f == 2 ? t_open_outside("c", sizeof(page) * PAGES)
				: t_open(f ? "a" : "b", sizeof(page) * PAGES);
		memset(model[f], 1, sizeof(model[f]));
	}
	arena = mmap(NULL, SLOTS * T_PAGE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < SLOTS; i++)
		clear(i);
	for (int k = 0; k < 10000; k++)
		hash = hash * 31 + (unsigned int)step();
	fclose(must);
	printf("results %x\n", hash);
	for (int f = 0; f < 3; f++)
		for (int g = 0; g < PAGES; g++)
			if (pread(fds[f], page, 4096, g * 4096) != 4096 ||
			    memcmp(page, model[f] + g * 4096, 4096))
				return printf("file %d page %d differs\n", f, g);
	printf("steps 10000 model agrees\n");
	return 0;
}
