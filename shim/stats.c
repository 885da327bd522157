/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats.c: the counters and the text made of them.
 */
#include "shim/stats.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "shim/compiler.h"
#include "shim/log.h"
#include "shim/sys.h"

bool stats_on;
_Atomic uint64_t stats_counts[CONFIG_RULES_MAX][STATS_COUNTERS];

static const struct config *config;
static pid_t owner;	/* whose counts these are */

static const char *const texts[] = {
#define COUNTER(name, text) text,
#include "shim/stats.def"
#undef COUNTER
};

struct text {
	size_t len;
	char buf[65536];
};

/* Too large for the stack of a thread that calls exit. */
static struct text output;

const char *stats_text(enum stats_counter counter)
{
	return texts[counter];
}

void stats_init(const struct config *the_config)
{
	config = the_config;
	stats_on = config->stats && config->nrules > 0;
	owner = getpid();
}

void stats_reset(void)
{
	if (!stats_on)
		return;
	owner = getpid();
	for (size_t i = 0; i < CONFIG_RULES_MAX; i++)
		for (size_t k = 0; k < STATS_COUNTERS; k++)
			atomic_store_explicit(&stats_counts[i][k], 0,
					      memory_order_relaxed);
}

/* line is complete or left out: a cut number would be a wrong one. */
static void append(struct text *text, const char *line)
{
	size_t len = strlen(line);

	if (len > sizeof(text->buf) - text->len)
		return;
	for (size_t i = 0; i < len; i++)
		text->buf[text->len++] = line[i];
}

static void append_rule(struct text *text, size_t rule)
{
	char line[PATH_MAX + 32];
	bool any = false;

	snprintf(line, sizeof(line), "rule %s\n",
		 config->rules[rule].path_len ? config->rules[rule].path : "/");
	append(text, line);
	for (size_t k = 0; k < STATS_COUNTERS; k++) {
		uint64_t n = atomic_load_explicit(&stats_counts[rule][k],
						  memory_order_relaxed);

		if (n == 0)
			continue;
		snprintf(line, sizeof(line), "%12" PRIu64 "  %s\n", n,
			 texts[k]);
		append(text, line);
		any = true;
	}
	if (!any)
		append(text, "           0  mappings under this rule\n");
}

static void format(struct text *text)
{
	char line[128];

	snprintf(line, sizeof(line), "libpmemshim: process %d (%.32s)\n",
		 (int)getpid(), program_invocation_short_name);
	append(text, line);
	for (size_t i = 0; i < config->nrules; i++)
		append_rule(text, i);
}

/* The name with %p replaced, and a name in it when it is a directory. */
static bool output_path(char *path, size_t size)
{
	const char *name = config->stats;
	size_t len = 0;
	struct stat st;

	for (; *name && len < size; name++) {
		if (name[0] == '%' && name[1] == 'p') {
			len += (size_t)snprintf(path + len, size - len, "%d",
						(int)getpid());
			name++;
		} else {
			path[len++] = *name;
		}
	}
	if (len + 32 >= size)
		return false;
	path[len] = '\0';
	if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode))
		snprintf(path + len, size - len, "/pmemshim.%d",
			 (int)getpid());
	return true;
}

void stats_write(void)
{
	char path[PATH_MAX];
	int fd;

	/* A child forked past the handlers has its parent's counts. */
	if (!stats_on || getpid() != owner)
		return;
	output.len = 0;
	format(&output);
	if (!output_path(path, sizeof(path))) {
		log_write(LOG_WARN, "PMEMSHIM_STATS: the name is too long; no statistics are written");
		return;
	}
	fd = sys_open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW |
		      O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (fd < 0 ||
	    log_write_quietly(fd, output.buf, output.len) !=
		    (ssize_t)output.len)
		log_write(LOG_WARN, "%s: %s; the statistics are lost", path,
			  strerrordesc_np(errno));
	if (fd >= 0)
		sys_close(fd);
}
