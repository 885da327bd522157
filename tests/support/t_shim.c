/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/t_shim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/learn.h"
#include "shim/mapping.h"
#include "shim/persist.h"
#include "shim/real.h"
#include "shim/stats.h"
#include "tests/support/t_arch.h"

struct config t_shim_config;
char t_shim_dir[64] = "/dev/shm/pmemshim-unit-XXXXXX";

static _Atomic size_t kernel_msyncs;

static void require(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static int counted_msync(void *addr, size_t len, int flags)
{
	kernel_msyncs++;
	return msync(addr, len, flags);
}

static void remove_dir(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", t_shim_dir);
	require(system(command) == 0, command);
}

void t_shim_start(const char *options)
{
	char paths[256];
	struct config_env env = { .paths = paths, .log = "error" };

	require(mkdtemp(t_shim_dir) != NULL, "mkdtemp");
	atexit(remove_dir);
	/* What mode=auto does depends on times: for the tests that ask for it. */
	snprintf(paths, sizeof(paths), "%s,assume_pmem=yes%s%s%s", t_shim_dir,
		 strstr(options, "mode=") ? "" : ",mode=flush",
		 *options ? "," : "", options);
	config_parse(&env, "/dev/null", "/sys", &t_shim_config);
	require(t_shim_config.nrules == 1, paths);
	t_shim_config.stats = t_shim_dir;
	real.msync = counted_msync;
	persist_init(&t_arch_ops);
	mapping_init(&t_shim_config);
	require(mapping_is_usable(), "mapping_init");
	stats_init(&t_shim_config, &t_arch_ops);
	learn_init(NULL, stats_believe);
	require(stats_file() != NULL, "stats_init");
	t_arch_reset();
}

int t_shim_file(const char *name, off_t len)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", t_shim_dir, name);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	require(fd >= 0 && ftruncate(fd, len) == 0, path);
	return fd;
}

void *t_shim_map(int fd, size_t len)
{
	const struct mapping_request request = {
		.len = len, .prot = PROT_READ | PROT_WRITE,
		.flags = MAP_SHARED, .fd = fd,
	};
	void *addr = mapping_map(&request);

	require(addr != MAP_FAILED, "mapping_map");
	return addr;
}

uint64_t t_shim_counted(enum stats_counter counter)
{
	return stats_file()[0].counters[counter];
}

size_t t_shim_kernel_msyncs(void)
{
	return kernel_msyncs;
}

void t_shim_kernel_reset(void)
{
	kernel_msyncs = 0;
}
