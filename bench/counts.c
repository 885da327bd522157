/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * counts.c: the calls whose instructions counts.sh counts.
 *
 *	counts FILE		for callgrind: one function a case
 *	counts FILE CASE [pieces]	for count_span.c: a case between two
 *				markers; in a file that grew piece by piece,
 *				whose blocks are not aligned to 2 MiB
 *
 * Design: each case is a function of its own that makes one call, so that
 * callgrind's inclusive cost, less the cost of an empty case, is the call. A
 * marker is a NOP with a displacement that nothing else has.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM	((size_t)4 << 20)	/* holds an aligned 2 MiB */
#define CALLS	64

static char *room;
static char src[65536];
static int file;

void count_nothing(void);
#define CASE(name, call)						\
	void count_##name(void);					\
	__attribute__((noinline)) void count_##name(void)		\
	{								\
		call;							\
		__asm__ volatile("" : : : "memory");			\
	}

CASE(nothing, (void)0)
CASE(store_msync_4k, (*(volatile char *)room += 1, msync(room, 4096, MS_SYNC)))
CASE(msync_64, msync(room, 64, MS_SYNC))
CASE(msync_4k, msync(room, 4096, MS_SYNC))
CASE(msync_64k, msync(room, 65536, MS_SYNC))
CASE(memcpy_64, memcpy(room, src, 64))
CASE(memcpy_1000, memcpy(room, src, 1000))
CASE(memcpy_1k, memcpy(room, src, 1024))
CASE(memcpy_4k, memcpy(room, src, 4096))
CASE(memcpy_4k_unaligned, memcpy(room + 17, src + 40, 4096))
CASE(memcpy_64k, memcpy(room, src, 65536))
CASE(memset_64, memset(room, 7, 64))
CASE(memset_4k, memset(room, 7, 4096))
CASE(memcpy_4k_elsewhere, memcpy(src, src + 8192, 4096))
CASE(mmap_anonymous,
     munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	    4096))
CASE(mmap_private,
     munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0), 4096))

#undef CASE
#define CASE(name) { #name, count_##name }
static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	CASE(nothing), CASE(msync_64), CASE(msync_4k), CASE(msync_64k),
	CASE(store_msync_4k),
	CASE(memcpy_64), CASE(memcpy_1000), CASE(memcpy_1k), CASE(memcpy_4k),
	CASE(memcpy_4k_unaligned), CASE(memcpy_64k), CASE(memset_64),
	CASE(memset_4k), CASE(memcpy_4k_elsewhere), CASE(mmap_anonymous),
	CASE(mmap_private),
};

static void open_room(const char *path, bool pieces)
{
	file = open(path, O_RDWR | O_CREAT, 0600);
	/* All at once, for blocks in one piece; written, for blocks in use. */
	if (file >= 0 && !pieces && posix_fallocate(file, 0, (off_t)ROOM))
		file = -1;
	for (size_t i = 0; file >= 0 && i < ROOM; i += sizeof(src))
		if (write(file, src, sizeof(src)) != (ssize_t)sizeof(src))
			file = -1;
	if (file < 0 || fsync(file)) {
		perror(path);
		exit(1);
	}
	room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (room == MAP_FAILED) {
		perror(path);
		exit(1);
	}
	/*
	 * The first call on a mapping is the kernel's, which makes the next
	 * stores fault and move the file's times; the shim has them committed
	 * until they lie behind the clock.
	 */
	for (int i = 0; i < 20; i++) {
		memset(room, i, ROOM);
		msync(room, ROOM, MS_SYNC);
		usleep(2000);
	}
}

/* nopl DISPLACEMENT(%rax,%rax,1): the displacement says what it marks. */
static inline void mark_begin(void)
{
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0, 0x11, 0x5d, 0x4d, 0x50"
			 : : : "memory");
}

static inline void mark_end(void)
{
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0, 0x22, 0x5d, 0x4d, 0x50"
			 : : : "memory");
}

static int between_markers(const char *name)
{
	bool stores = strncmp(name, "store_", 6) == 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(cases[i].name, name))
			continue;
		for (int j = 0; j < CALLS; j++) {
			/* Every page that the call covers was stored to,
			 * unless the store belongs to the case. */
			for (size_t k = 0; !stores && k < 65536; k += 4096)
				((volatile char *)room)[k] = (char)j;
			mark_begin();
			cases[i].run();
			mark_end();
		}
		return 0;
	}
	fprintf(stderr, "counts: no case %s\n", name);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	open_room(argv[1], argc > 3);
	if (argc > 2)
		return between_markers(argv[2]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int j = 0; j < CALLS; j++)
			cases[i].run();
	return 0;
}
