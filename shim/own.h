/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * own.h: where the shim's own memory goes: far from where mmap(NULL) puts the
 * program's. A program that reserves a range, unmaps it and fills the hole by
 * MAP_FIXED knows that the hole is empty, and must not find us in it.
 */
#ifndef PMEMSHIM_OWN_H
#define PMEMSHIM_OWN_H

#include <stddef.h>
#include <stdint.h>

/*
 * A hint for mmap(2), len bytes apart from all that were given before. The
 * kernel goes elsewhere when the place is taken or beyond its limits. Needs no
 * lock.
 */
void *own_place(size_t len);

/*
 * The same for a mapping of the program whose address the shim chooses, in a
 * range apart; it begins anew after 8 TiB.
 */
uintptr_t own_program_place(size_t len);

/* Zeroed pages to read and write, or MAP_FAILED; munmap gives them back. */
void *own_pages(size_t len);

#endif
