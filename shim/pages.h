/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pages.h: page-table entries of 2 MiB or of 4 KiB, by the address of a
 * mapping.
 *
 * DAX maps 2 MiB of a file by one entry only where address and file offset are
 * congruent modulo 2 MiB (fs/dax.c, dax_fault_check_fallback). The kernel's
 * msync flushes whole entries, so with entries of 4 KiB it costs 512 times
 * less for a store to one line. An entry stays as large as the fault that made
 * it, by whichever mapping of whichever process, until the file leaves memory.
 *
 * Concurrency: everything may run anywhere.
 */
#ifndef PMEMSHIM_PAGES_H
#define PMEMSHIM_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/config.h"

/* Whether a mapping with address + delta = offset has entries of 4 KiB alone. */
bool pages_are_small(uint64_t delta);

/* Whether an entry of 2 MiB could lie within [offset, offset + len). */
bool pages_differ(off_t offset, size_t len);

/*
 * Which entries a rule wants for a mapping of fd whose address is the kernel's
 * to choose: CONFIG_PAGES_AUTO where it does not matter or cannot be told.
 * auto takes 4 KiB for a file that is stored to, is large enough and has all
 * its blocks written: where they are not, a store finds them, and one entry of
 * 2 MiB saves 511 commits of the file system's journal.
 */
enum config_pages pages_wanted(const struct config_rule *rule, int fd,
			       off_t offset, size_t len, bool writable);

/*
 * An address to ask mmap(2) for, another one at each call, where a mapping of
 * len bytes from offset on has such entries; want is not CONFIG_PAGES_AUTO. A
 * hint: the kernel goes elsewhere when something is there.
 */
void *pages_place(enum config_pages want, off_t offset, size_t len);

#endif
