/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe_decide.c: what the shim would do with the file.
 *
 * Design: nothing is decided here. The environment is read by the shim's own
 * config_load, and the file is mapped by the shim's own mapping_map, as if
 * the program had asked for it; what the registry then knows is the answer.
 * The kernel's answer to MAP_SYNC is asked for separately, because the shim
 * does not ask where a rule or the inode already say no. Reading maps only:
 * no page is touched. real_bind is not called, so that the calls are the
 * kernel's even when this process is itself preloaded.
 */
#include "cli/probe.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "shim/mapping.h"
#include "shim/region.h"
#include "shim/registry.h"
#include "shim/sys.h"

struct arch_ops probe_arch;
struct config probe_config;

/* What mapping.c sees; see match_as. */
static struct config effective;

/* What a rule without options would be, for files that no rule serves. */
static const struct config_rule plain_rule = {
	.path = "(none)",
	.path_len = 6,
	.mode = CONFIG_MODE_AUTO,
	.copy_min = 1024,
	.kernel_above = CONFIG_AUTO,
};

void probe_start(void)
{
	log_init();
	config_load(&probe_config);
	log_set_level(probe_config.log);
	arch_init(&probe_arch);
	persist_init(&probe_arch);
	effective = probe_config;
	mapping_init(&effective);
}

/*
 * A temporary file stands for one that will have another name, and perhaps a
 * rule of its own. Make that rule the one for the directory, where mapping.c
 * finds the temporary file; the others match nothing.
 */
static void match_as(const struct probe *p)
{
	char *slash;
	static char directory[PATH_MAX];
	size_t i;

	effective = probe_config;
	if (p->target != PROBE_NEW || !p->rule)
		return;
	memcpy(directory, p->path, sizeof(directory));
	slash = strrchr(directory, '/');
	*slash = '\0';
	for (i = 0; i < effective.nrules; i++) {
		effective.rules[i].path = "-";
		effective.rules[i].path_len = 1;
	}
	i = (size_t)(p->rule - probe_config.rules);
	effective.rules[i].path = directory;
	effective.rules[i].path_len = (size_t)(slash - directory);
}

/* device-DAX maps nothing smaller than its alignment. */
static size_t mapping_len(const struct probe *p)
{
	return p->target == PROBE_DEVICE && p->device.align
	     ? (size_t)p->device.align : REGISTRY_PAGE;
}

static int try_device(int fd, size_t len)
{
	void *addr = sys_mmap(NULL, len, PROT_READ,
			      MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);

	if (addr == MAP_FAILED)
		return -errno;
	sys_munmap(addr, len);
	return 0;
}

static void try_sync(struct probe *p)
{
	int fd = probe_subject(p);

	if (fd < 0)
		return;
	p->tried = true;
	p->sync = p->target == PROBE_DEVICE ? try_device(fd, mapping_len(p))
					    : dax_probe(fd, 0);
}

static enum probe_outcome outcome_of(const struct probe *p)
{
	if (!p->policy || !p->policy->user)
		return PROBE_KERNEL;
	return p->tried && p->sync == 0 ? PROBE_USER : PROBE_ASSUMED;
}

/* Map it as a program would, and see what the shim makes of it. */
static void map(struct probe *p)
{
	const struct mapping_request request = {
		.len = mapping_len(p),
		.prot = PROT_READ,
		.flags = MAP_SHARED,
		.fd = probe_subject(p),
	};
	void *addr = mapping_map(&request);
	uint64_t value;

	if (addr == MAP_FAILED) {
		p->failure = errno;
		p->outcome = PROBE_FAILS;
		return;
	}
	value = registry_find((uintptr_t)addr);
	if (value)
		p->policy = persist_policy(region_policy(value));
	p->outcome = outcome_of(p);
	mapping_unmap(addr, request.len);
}

/* For a file that is not tracked: what would be chosen if it were. */
static void suppose_policy(struct probe *p)
{
	const struct persist_want want = {
		.rule = p->rule ? p->rule : &plain_rule,
		.number = p->rule ? (size_t)(p->rule - probe_config.rules) : 0,
		.cache_domain = p->domain == DAX_DOMAIN_CACHE,
		.device = p->target == PROBE_DEVICE,
	};
	unsigned int number;

	if (persist_is_possible() && persist_policy_for(&want, &number) >= 0)
		p->policy = persist_policy(number);
}

void probe_decide(struct probe *p)
{
	p->rule = config_match(&probe_config, p->path);
	p->outcome = PROBE_KERNEL;
	if (p->target == PROBE_OTHER)
		return;
	match_as(p);
	try_sync(p);
	if (p->tried)
		map(p);
	else if (p->rule && p->rule->mode != CONFIG_MODE_OFF)
		p->outcome = PROBE_UNKNOWN;
	if (!p->policy)
		suppose_policy(p);
}
