/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe.c: the registry of the library that it is linked into, see probe.h.
 */
#include "tests/differential/probe.h"

#include "shim/compiler.h"
#include "shim/file.h"
#include "shim/region.h"
#include "shim/registry.h"
#include "shim/stats.h"

EXPORTED void pmemshim_probe_run(uintptr_t addr, uintptr_t limit,
				 struct probe_run *run)
{
	uint64_t value = registry_run(addr, limit, &run->end);
	struct region_view view;
	struct file_look look;

	run->tracked = value != 0;
	if (!run->tracked)
		return;
	run->stale = !region_read(value, &view);
	run->readable = view.attributes & REGION_READABLE;
	run->writable = view.attributes & REGION_WRITABLE;
	run->offset = view.delta + addr;
	run->file = view.file;
	run->size_known = false;
	if (run->stale || !view.file)
		return;
	file_look(view.file, &look);
	run->size_known = look.verdict != FILE_LOST;
	run->size = look.size;
}

EXPORTED size_t pmemshim_probe_pages(void)
{
	return registry_pages();
}

static uint64_t counted(enum stats_counter counter)
{
	const struct stats_file_rule *rules = stats_file();
	const struct stats_file_header *header =
		(const struct stats_file_header *)rules - 1;
	uint64_t sum = 0;

	for (size_t i = 0; rules && i < header->nrules; i++)
		sum += rules[i].counters[counter];
	return sum;
}

EXPORTED uint64_t pmemshim_probe_persisted(void)
{
	return counted(STATS_PERSISTED);
}

EXPORTED uint64_t pmemshim_probe_copies(void)
{
	return counted(STATS_COPIES);
}
