/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * init.c: start-up order, fork handlers, and the end.
 *
 * Design: until the constructor has run, and after the destructor, every
 * interposed function still works: before, with stand-ins and nothing
 * tracked; after, as ever, since nothing is torn down.
 */
#include <pthread.h>

#include "config/config.h"
#include "shim/arch/arch.h"
#include "shim/dirty.h"
#include "shim/learn.h"
#include "shim/loader.h"
#include "shim/log.h"
#include "shim/mapping.h"
#include "shim/persist.h"
#include "shim/real.h"
#include "shim/stats.h"

static struct config config;

static void after_fork(void)
{
	mapping_after_fork();
	/* What goes on in a child that is the kernel's is not counted. */
	if (!mapping_is_usable())
		return;
	stats_after_fork();
	learn_after_fork();
}

__attribute__((constructor)) static void start(void)
{
	struct arch_ops ops;

	/* libc first: all that follows may copy. */
	log_init();
	real_bind();
	loader_bind();
	config_load(&config);
	log_set_level(config.log);
	if (config.nrules == 0)
		return;
	arch_init(&ops);
	persist_init(&ops);
	mapping_init(&config);
	if (mapping_is_usable()) {
		stats_init(&config, &ops);
		learn_init(NULL, stats_believe);
		loader_init(config.keep_deepbind);
	} else if (config.stats) {
		log_write(LOG_WARN, "PMEMSHIM_STATS: this machine cannot persist from user space, so everything is the kernel's; no statistics are kept");
	}
	/* Without it a child's mappings are the kernel's. */
	if (pthread_atfork(dirty_before_fork, dirty_after_fork, after_fork))
		log_write(LOG_WARN, "no memory for a fork handler: in forked children every msync goes to the kernel");
}

__attribute__((destructor)) static void finish(void)
{
	stats_finish();
}
