/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * t_shim.h: the modules set up as in a preloaded process, but in a test: one
 * rule on a directory of its own on tmpfs, a recording architecture, and a
 * kernel's msync that is counted and passed on.
 */
#ifndef T_SHIM_H
#define T_SHIM_H

#include <stddef.h>
#include <sys/types.h>

#include "config/config.h"
#include "shim/stats.h"

/*
 * Start the modules with the rule "DIR,assume_pmem=yes,<options>" and with
 * statistics in DIR/pmemshim.PID. Ends the test when that cannot be. Call at
 * most once in a process.
 */
void t_shim_start(const char *options);

extern struct config t_shim_config;
extern char t_shim_dir[64];

/* A file of len bytes in the directory; returns an O_RDWR descriptor. */
int t_shim_file(const char *name, off_t len);

/* mapping_map of the whole file, shared, readable and writable. */
void *t_shim_map(int fd, size_t len);

/* What the statistics of the rule say. */
uint64_t t_shim_counted(enum stats_counter counter);

/* What reached the kernel's msync since the last t_shim_kernel_reset. */
size_t t_shim_kernel_msyncs(void);
void t_shim_kernel_reset(void);

#endif
