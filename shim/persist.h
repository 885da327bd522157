/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * persist.h: how the pages of a mapping are made durable: decided once, when
 * the mapping is made.
 *
 * Concurrency: a policy is constant from the moment its number is handed out.
 * persist_policy_for requires registry_lock; everything else runs anywhere.
 */
#ifndef PMEMSHIM_PERSIST_H
#define PMEMSHIM_PERSIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "shim/arch/arch.h"
#include "shim/compiler.h"
#include "shim/learn.h"

struct persist_policy {
	/* What a plain msync asks lies in one cache line. */
	_Alignas(ARCH_LINE) arch_guarded_fn guarded;
	uint64_t kernel_above;	/* bytes */
	uint64_t refresh;	/* nanoseconds, or CONFIG_NEVER */
	const struct config_rule *rule;
	size_t number;		/* of the rule, for the statistics */
	enum learn_walk walk;
	/* msync persists from user space; false: always the kernel. */
	bool user;
	/* With user: the kernel in turns, see stats_begin. */
	bool alternates;
	/* With user: whichever learn.h says. */
	bool learns;
	/* With user: no turns, no search for dirty pages, no device. */
	bool plain;
	bool verify;
	/* Caches are in the persistence domain: flush does nothing. */
	bool cache_domain;
	/* A device-DAX mapping: no file, no metadata, no kernel msync. */
	bool device;
	arch_flush_fn flush;
	/* NULL: plain copies, left to libc. */
	arch_copy_fn copy;
	arch_set_fn set;
	size_t copy_min;	/* bytes; SIZE_MAX without copy */
};

/* Take over what the CPU offers. Once, before anything else here. */
void persist_init(const struct arch_ops *ops);

/* Whether user space can make anything durable on this machine. */
bool persist_is_possible(void);

struct persist_want {
	const struct config_rule *rule;
	size_t number;		/* of the rule */
	bool cache_domain;
	bool device;
};

/*
 * The number of the policy for want, in *number (below PERSIST_POLICIES_MAX):
 * 0 when there was one already, 1 when it was made now, -ENOSPC when there are
 * too many.
 */
enum { PERSIST_POLICIES_MAX = 256 };
int persist_policy_for(const struct persist_want *want, unsigned int *number);

/* Warn of what a policy could not do as its rule says. Not with a lock held. */
void persist_policy_warn(const struct persist_policy *policy);

extern HIDDEN struct persist_policy persist_policies[PERSIST_POLICIES_MAX];

static inline const struct persist_policy *persist_policy(unsigned int number)
{
	return &persist_policies[number];
}

/* "clwb", "clflushopt", "clflush" or "none"; "nt", "cached" or "off". */
const char *persist_flush_name(const struct persist_policy *policy);
const char *persist_copy_name(const struct persist_policy *policy);

/*
 * Flush [addr, addr + len), or wait for all that this thread has flushed: a
 * range is durable after both. The flush gives up and returns false as soon as
 * *epoch is not expected, see arch_guarded_fn. The range must be readable, or
 * it faults as a load would.
 */
bool persist_flush(const struct persist_policy *policy, const void *addr,
		   size_t len, const _Atomic uint64_t *epoch,
		   uint64_t expected);
void persist_drain(void);

/*
 * Wait for the flushes of other threads that are under way, for a second at
 * most and if that was not enough never again: whoever is stopped in one, or
 * has jumped out of it, must not stop the program. May run anywhere.
 */
void persist_wait(void);

/* In the child of a fork, whose only thread is this one. */
void persist_after_fork(void);

/* memmove(3), durable on return. policy->copy must not be NULL. */
void persist_copy(const struct persist_policy *policy, void *dst,
		  const void *src, size_t len);

/* Fill with a 4-byte pattern, durable on return, as arch_set_fn describes. */
void persist_set(const struct persist_policy *policy, void *dst,
		 uint32_t pattern, size_t len);

#endif
