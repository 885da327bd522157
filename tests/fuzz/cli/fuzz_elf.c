/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_elf.c: libFuzzer's way into what `pmemshim check` reads: an ELF file, or
 * the first line of a script. tests/fuzz/run runs it.
 *
 * An input that is an ELF file is read alone, without the libraries that it
 * needs: those lie outside the input, and reading them takes all the time.
 */
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/elf.h"
#include "cli/reach.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_file(int fd)
{
	struct elf_file elf;
	const char *why = NULL;
	int err = elf_file_read(fd, &elf, &why);

	/* What it promises. */
	if ((err == -22) != (why != NULL))
		abort();
	elf_file_free(&elf);
}

static void judge_script(int fd)
{
	char path[32];
	struct reach *reach;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reach = reach_judge(path);
	if (reach->verdict == REACH_YES)
		free(reach_sentence(reach));
	else if (reach->reasons.n == 0)
		abort();
	reach_free(reach);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (size >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG))
		read_file(fd);
	else
		judge_script(fd);
	close(fd);
	return 0;
}
