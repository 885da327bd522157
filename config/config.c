/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * config.c: the environment, once, and the rule for a path.
 *
 * Concurrency: everything here but config_match runs in the constructor.
 */
#include "config/config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "config/option.h"
#include "config/rules.h"

#define STATS		(&option_variables[OPTION_VARIABLE_stats])
#define DEEPBIND	(&option_variables[OPTION_VARIABLE_deepbind])
#define SEED		(&option_variables[OPTION_VARIABLE_seed])
#define LOG		(&option_variables[OPTION_VARIABLE_log])

#define PREFIX		"PMEMSHIM_"
#define TEST_PREFIX	"PMEMSHIM_TEST_"

/* The number of the word that text is, or else of the default. */
static unsigned int read_word(const struct option *option, const char *text)
{
	uint64_t word = 0;
	const char *problem;

	option_parse(option, span_of(option->deflt), &word);
	problem = text ? option_parse(option, span_of(text), &word) : NULL;
	if (problem)
		log_write(LOG_WARN, "%s: '%.*s%s' %s, accepted: %s; %s is used",
			  option->name, VALUE_ARGS(span_of(text)), problem,
			  option->form, option->deflt);
	return (unsigned int)word;
}

static void read_log(const char *text, struct config *out)
{
	log_set_level((enum log_level)read_word(LOG, NULL));
	out->log = (enum log_level)read_word(LOG, text);
	log_set_level(out->log);
}

static const char *make_absolute(char *out, size_t size, struct span name)
{
	size_t len = 0;

	if (name.len == 0)
		return "is empty";
	if (name.at[0] != '/') {
		if (!getcwd(out, size))
			return "is relative to a directory without a name";
		len = strlen(out);
		if (out[len - 1] != '/' && len + 1 < size)
			out[len++] = '/';
	}
	if (name.len >= size - len)
		return "is too long";
	memcpy(out + len, name.at, name.len + 1);
	return NULL;
}

static void read_stats(const char *text, struct config *out)
{
	static char stats[PATH_MAX];
	const char *problem;

	if (!text)
		return;
	problem = make_absolute(stats, sizeof(stats), span_of(text));
	if (problem)
		log_write(LOG_WARN, "%s: '%.*s%s' %s, accepted: %s; statistics are off",
			  STATS->name, RULE_ARGS(span_of(text)), problem,
			  STATS->form);
	else
		out->stats = stats;
}

static void read_seed(const char *text, struct config *out)
{
	const char *problem;

	if (!text)
		return;
	problem = option_parse(SEED, span_of(text), &out->seed);
	out->seeded = !problem;
	if (problem)
		log_write(LOG_WARN, "%s: '%.*s%s' %s, accepted: %s; a random one is used",
			  SEED->name, VALUE_ARGS(span_of(text)), problem,
			  SEED->form);
}

void config_parse(const struct config_env *env, const char *mountinfo,
		  const char *sysfs, struct config *out)
{
	memset(out, 0, sizeof(*out));
	read_log(env->log, out);
	read_stats(env->stats, out);
	out->keep_deepbind = read_word(DEEPBIND, env->deepbind);
	read_seed(env->seed, out);
	rules_read(env, mountinfo, sysfs, out);
}

void config_read_env(struct config_env *env, bool secure)
{
	*env = (struct config_env){ .paths = "" };
	if (secure)
		return;
#define VARIABLE(field, name, ...) env->field = secure_getenv(name);
#include "config/options.def"
}

static bool is_known(struct span name)
{
	unsigned int i;

	/* What the project's own tests are told. */
	if (!strncmp(name.at, TEST_PREFIX, strlen(TEST_PREFIX)))
		return true;
	for (i = 0; i < OPTION_VARIABLES; i++) {
		if (strlen(option_variables[i].name) == name.len &&
		    !memcmp(option_variables[i].name, name.at, name.len))
			return true;
	}
	return false;
}

static void warn_unknown_variable(void)
{
	struct span name;
	char **p;

	for (p = environ; p && *p; p++) {
		name = (struct span){ *p, strcspn(*p, "=") };
		if (strncmp(*p, PREFIX, strlen(PREFIX)) || is_known(name))
			continue;
		log_write(LOG_WARN, "%.*s%s: unknown variable, accepted: %s; it is ignored",
			  VALUE_ARGS(name), option_variable_names);
		return;
	}
}

void config_load(struct config *out)
{
	const bool secure = getauxval(AT_SECURE) != 0;
	struct config_env env;

	config_read_env(&env, secure);
	config_parse(&env, "/proc/self/mountinfo", "/sys", out);
	if (!secure)
		warn_unknown_variable();
}

/* KEY=VALUE behind what is in out, if it fits. */
static void spell_key(const struct option *key, uint64_t value, char *out,
		      size_t size)
{
	const size_t len = strlen(out);
	char text[64];
	int n;

	option_spell(key, value, text, sizeof(text));
	n = snprintf(out + len, size - len, "%s%s=%s", len ? "," : "",
		     key->name, text);
	if (n < 0 || (size_t)n >= size - len)
		out[len] = '\0';
}

void config_spell(const struct config_rule *rule, char *out, size_t size)
{
	out[0] = '\0';
#define KEY(field, ...) \
	spell_key(&option_keys[OPTION_KEY_##field], \
		  (uint64_t)rule->field, out, size);
#include "config/options.def"
}

const struct config_rule *config_match(const struct config *config,
				       const char *path)
{
	const struct config_rule *best = NULL;
	const struct config_rule *rule;
	size_t i;

	for (i = 0; i < config->nrules; i++) {
		rule = &config->rules[i];
		if (best && rule->path_len <= best->path_len)
			continue;
		/* Equal up to here, path is at least as long as the rule's. */
		if (!strncmp(path, rule->path, rule->path_len) &&
		    (path[rule->path_len] == '/' ||
		     path[rule->path_len] == '\0'))
			best = rule;
	}
	return best;
}
