/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the kernel says about one file: is it DAX, and is MAP_SYNC granted?
 * Only for test_guest.sh. Prints one line, "dax=yes sync=granted" for example;
 * the mapping, if any, is written and read back.
 *
 *	probe FILE		makes FILE when it is missing
 *	probe /dev/daxX.Y	a character device: no size to set, no statx bit
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEN ((size_t)2 << 20)

#ifndef STATX_ATTR_DAX
#define STATX_ATTR_DAX 0x00200000
#endif

static const char *dax_answer(int fd)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) != 0)
		return "error";
	if (!(st.stx_attributes_mask & STATX_ATTR_DAX))
		return "unknown";
	return st.stx_attributes & STATX_ATTR_DAX ? "yes" : "no";
}

static const char *sync_answer(int fd)
{
	static const char word[] = "written through the mapping";
	char *map = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
			 MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);

	if (map == MAP_FAILED)
		return strerrorname_np(errno);
	memcpy(map + LEN - sizeof word, word, sizeof word);
	if (memcmp(map + LEN - sizeof word, word, sizeof word) != 0)
		return "unreadable";
	return munmap(map, LEN) == 0 ? "granted" : "unmappable";
}

int main(int argc, char **argv)
{
	struct stat st;
	int fd;

	if (argc != 2)
		return 2;
	fd = open(argv[1], O_RDWR | O_CREAT, 0644);
	if (fd < 0 || fstat(fd, &st) != 0) {
		perror(argv[1]);
		return 1;
	}
	if (S_ISREG(st.st_mode) && ftruncate(fd, (off_t)LEN) != 0) {
		perror("ftruncate");
		return 1;
	}
	printf("dax=%s sync=%s\n", dax_answer(fd), sync_answer(fd));
	return close(fd) == 0 ? 0 : 1;
}
