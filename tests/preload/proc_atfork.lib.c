/* SPDX-License-Identifier: BSD-3-Clause */
/* A library that maps in its fork handlers, registered before the shim's. */
#include "t_preload.h"

static void use_mapping(void)
{
	char *p = t_map_synced(t_open("data", T_PAGE), T_PAGE);

	T_REQUIRE(msync(p, T_PAGE, MS_SYNC) == 0);
	T_REQUIRE(munmap(p, T_PAGE) == 0);
}

__attribute__((constructor)) static void begin(void)
{
	T_REQUIRE(pthread_atfork(use_mapping, use_mapping, use_mapping) == 0);
}
