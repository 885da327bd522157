/* SPDX-License-Identifier: BSD-3-Clause */
/* descriptor.c: see descriptor.h. */
#include "shim/descriptor.h"

#include <sys/resource.h>

/* The shim takes at most this part of the soft limit on descriptors ... */
#define DESCRIPTOR_SHARE	16
/* ... and keeps them below this number: a table up to it is 32 KiB. */
#define DESCRIPTOR_CEILING	((rlim_t)4096)

long descriptor_budget(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit)
	       ? 0 : (long)(limit.rlim_cur / DESCRIPTOR_SHARE);
}

/* The lowest number that the shim may use. */
static long lowest(const struct rlimit *limit)
{
	rlim_t ceiling = limit->rlim_cur < DESCRIPTOR_CEILING
		       ? limit->rlim_cur : DESCRIPTOR_CEILING;

	return (long)(ceiling - ceiling / DESCRIPTOR_SHARE);
}

int descriptor_raise(int low)
{
	struct rlimit limit;
	int high = -1;

	if (low < 0)
		return -1;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		high = sys_fcntl(low, F_DUPFD_CLOEXEC, lowest(&limit));
	sys_close(low);
	return high;
}
