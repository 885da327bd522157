/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_stats.c: a statistics file that somebody else wrote, or damaged.
 *
 * Design: the input is a list of patches to a good file of two rules, each an
 * offset, a length and the bytes; random files would all end at the magic. An
 * offset from behind the file's end cuts it there.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/stats_read.h"
#include "shim/stats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(what) do { if (!(what)) __builtin_trap(); } while (0)
#define RULES	2

static struct {
	struct stats_file_header header;
	struct stats_file_rule rules[RULES];
} file;

static void make_good(void)
{
	memset(&file, 0, sizeof(file));
	file.header = (struct stats_file_header){
		.magic = STATS_FILE_MAGIC, .version = STATS_FILE_VERSION,
		.header_size = sizeof(file.header),
		.rule_size = sizeof(file.rules[0]), .nrules = RULES,
		.arms = STATS_ARMS, .buckets = STATS_BUCKETS,
		.blocks = STATS_BLOCKS, .cells = STATS_CELLS, .counters = STATS_COUNTERS, .pid = 1,
		.file_size = sizeof(file), .clock = STATS_CLOCK_NS,
	};
}

/* How much of the file there is. */
static size_t patch(const uint8_t *data, size_t size)
{
	size_t len = sizeof(file);

	while (size >= 4) {
		size_t at = (size_t)(data[0] | data[1] << 8 | data[2] << 16);
		size_t n = data[3];

		data += 4;
		size -= 4;
		if (at >= sizeof(file)) {
			len = (at - sizeof(file)) % sizeof(file);
			continue;
		}
		if (n > size)
			n = size;
		if (n > sizeof(file) - at)
			n = sizeof(file) - at;
		memcpy((char *)&file + at, data, n);
		data += n;
		size -= n;
	}
	return len;
}

static void use(const struct stats_snapshot *snapshot)
{
	static struct stats_block blocks[STATS_BLOCKS];
	struct stats_total total = { 0 };
	struct stats_total_arm arm;

	stats_total_add(&total, snapshot);
	stats_total_add(&total, snapshot);
	REQUIRE(total.files == 2 && total.nrules <= RULES);
	stats_total_sum_arm(&total, STATS_ARM_USER, &arm);
	stats_times_quantile(&arm.latency, 0.99);
	for (uint32_t i = 0; i < snapshot->header.nrules; i++) {
		size_t n = stats_blocks(snapshot, i, blocks);

		REQUIRE(n <= STATS_BLOCKS);
		REQUIRE(strnlen(snapshot->rules[i].path, STATS_FILE_PATH) <
			STATS_FILE_PATH);
		for (size_t k = 0; k < n; k++)
			REQUIRE(blocks[k].arm < STATS_ARMS);
	}
	stats_total_free(&total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stats_snapshot *snapshot = NULL;
	char path[32], why[256] = "";
	int fd = memfd_create("stats", 0);
	size_t len;

	make_good();
	len = patch(data, size);
	REQUIRE(fd >= 0 && write(fd, &file, len) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (stats_read(path, &snapshot, why, sizeof(why)) == 0) {
		use(snapshot);
		stats_snapshot_free(snapshot);
	} else {
		REQUIRE(*why && !strchr(why, '\n'));
	}
	close(fd);
	return 0;
}
