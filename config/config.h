/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * config.h: the environment, read once and turned into rules.
 *
 * Concurrency: config_load runs in the constructor, before any reader; what
 * it fills is constant from then on and may be read anywhere.
 */
#ifndef PMEMSHIM_CONFIG_H
#define PMEMSHIM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/log.h"

/* The words of options.def are in the order of these enums. */
enum config_mode {
	CONFIG_MODE_FLUSH,	/* arm B: persist from user space */
	CONFIG_MODE_KERNEL,	/* arm A: MAP_SYNC mapping, the kernel's msync */
	CONFIG_MODE_AB,		/* blocks of syncs by one or the other */
	CONFIG_MODE_AUTO,	/* whichever is the cheaper, see learn.h */
	CONFIG_MODE_OFF		/* as if the shim were absent */
};

enum config_flush {
	CONFIG_FLUSH_AUTO,
	CONFIG_FLUSH_CLWB,
	CONFIG_FLUSH_CLFLUSHOPT,
	CONFIG_FLUSH_CLFLUSH,
	CONFIG_FLUSH_NONE
};

enum config_copy {
	CONFIG_COPY_AUTO,
	CONFIG_COPY_NT,		/* streaming stores */
	CONFIG_COPY_CACHED,	/* plain copy, then flush */
	CONFIG_COPY_OFF		/* plain copy, nothing else */
};

enum config_pages {
	CONFIG_PAGES_AUTO,	/* as is cheaper, see pages.h */
	CONFIG_PAGES_SMALL,	/* entries of 4 KiB */
	CONFIG_PAGES_HUGE	/* entries of 2 MiB, where the file allows it */
};

enum config_map_sync { CONFIG_MAP_SYNC_PREFER, CONFIG_MAP_SYNC_REQUIRE };

enum config_dirty {
	CONFIG_DIRTY_OFF,
	CONFIG_DIRTY_TRACK	/* flush what was stored to */
};

#define CONFIG_NEVER	UINT64_MAX	/* kernel_above=never, refresh=0 */
#define CONFIG_AUTO	(UINT64_MAX - 1) /* kernel_above=auto */

struct config_rule {
	/*
	 * Canonical absolute directory or file name without a trailing
	 * slash ("/" is the empty string), and its length in bytes.
	 */
	const char *path;
	size_t path_len;
	enum config_mode mode;
	enum config_flush flush;
	enum config_copy copy;
	enum config_map_sync map_sync;
	enum config_pages pages;
	enum config_dirty dirty;
	uint64_t copy_min;	/* bytes, at least 1 */
	uint64_t kernel_above;	/* bytes, CONFIG_AUTO or CONFIG_NEVER */
	uint64_t refresh;	/* nanoseconds, or CONFIG_NEVER */
	uint64_t block;		/* syncs, at least 1 */
	bool verify;
	bool assume_pmem;
	bool automatic;		/* made from the word auto */
};

enum { CONFIG_RULES_MAX = 64 };

struct config {
	struct config_rule rules[CONFIG_RULES_MAX];
	size_t nrules;		/* 0: inert, everything to the kernel */
	bool any_assume_pmem;
	const char *stats;	/* absolute, %p kept; NULL when off */
	uint64_t seed;
	bool seeded;		/* seed was given */
	enum log_level log;
	bool keep_deepbind;	/* leave RTLD_DEEPBIND to the program */
};

/* The variables as the environment has them; NULL where unset. */
struct config_env {
	const char *paths;
	const char *defaults;
	const char *stats;
	const char *deepbind;
	const char *seed;
	const char *log;
};

/*
 * Fill out from env and set the log level. mountinfo names the file that
 * "auto" is read from ("/proc/self/mountinfo"); sysfs is where block devices
 * are looked up ("/sys"). Every bad value is logged in one line. A broken
 * rule list or default leaves no rules. The texts that out points to are
 * static: a second call overwrites them. Not signal-safe; call once.
 */
void config_parse(const struct config_env *env, const char *mountinfo,
		  const char *sysfs, struct config *out);

/*
 * Fill env from the environment. In a program that runs with more rights
 * than its caller (secure) nothing counts as set, and there is no rule.
 */
void config_read_env(struct config_env *env, bool secure);

/*
 * config_parse on the real environment: a set-user-ID program (AT_SECURE)
 * gets no rules, no statistics and no log level, whatever is set. Variables
 * that look like ours and are not (PMEMSHIM_PATH) are logged in one line.
 */
void config_load(struct config *out);

/*
 * All keys of the rule as PMEMSHIM_PATHS would spell them, KEY=VALUE,..., cut
 * between two keys where out ends. Signal-safe.
 */
void config_spell(const struct config_rule *rule, char *out, size_t size);

/*
 * The rule with the longest path that is path or one of its parents by whole
 * components, or NULL. path is absolute and canonical. Signal-safe.
 */
const struct config_rule *config_match(const struct config *config,
				       const char *path);

#endif
