/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sync.h: the msync contract: the kernel's answer, without the kernel
 * whenever that is possible. See design.md for the rows.
 */
#ifndef PMEMSHIM_SYNC_H
#define PMEMSHIM_SYNC_H

#include <stddef.h>

/*
 * msync(2): same results, same errno, same cancellation point. Takes no lock;
 * may run in any thread and any signal handler.
 */
int sync_range(void *addr, size_t len, int flags);

#endif
