/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_rules.c: the four variables of the environment, a line each. What comes
 * out is in bounds, means the same when it is written down and read again, and
 * is nothing at all when anything in the list is wrong.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/option.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(what) do { if (!(what)) __builtin_trap(); } while (0)
#define MAX_SIZE	(UINT64_C(1) << 50)
#define MAX_TIME	UINT64_C(31536000000000000)

static void check_path(const struct config_rule *rule)
{
	const char *p = rule->path;

	REQUIRE(strlen(p) == rule->path_len && rule->path_len < PATH_MAX);
	REQUIRE(*p == '/' || *p == '\0');
	REQUIRE(rule->path_len == 0 || p[rule->path_len - 1] != '/');
	REQUIRE(!strstr(p, "//") && !strstr(p, "/./") && !strstr(p, "/../"));
}

static void check_rule(const struct config_rule *rule)
{
	check_path(rule);
	REQUIRE(rule->mode >= CONFIG_MODE_FLUSH && rule->mode <= CONFIG_MODE_OFF);
	REQUIRE(rule->flush >= CONFIG_FLUSH_AUTO &&
		rule->flush <= CONFIG_FLUSH_NONE);
	REQUIRE(rule->copy >= CONFIG_COPY_AUTO && rule->copy <= CONFIG_COPY_OFF);
	REQUIRE(rule->map_sync >= CONFIG_MAP_SYNC_PREFER &&
		rule->map_sync <= CONFIG_MAP_SYNC_REQUIRE);
	REQUIRE(rule->copy_min >= 1 && rule->copy_min <= MAX_SIZE);
	REQUIRE(rule->kernel_above <= MAX_SIZE ||
		rule->kernel_above == CONFIG_AUTO ||
		rule->kernel_above == CONFIG_NEVER);
	REQUIRE((rule->refresh > 0 && rule->refresh <= MAX_TIME) ||
		rule->refresh == CONFIG_NEVER);
}

/* Each path finds its own rule, and only whole components count. */
static void check_match(const struct config *config)
{
	char path[PATH_MAX + 2];

	for (size_t i = 0; i < config->nrules; i++) {
		const struct config_rule *rule = &config->rules[i], *found;

		REQUIRE(config_match(config, rule->path) == rule);
		snprintf(path, sizeof(path), "%s/", rule->path);
		REQUIRE(config_match(config, path) == rule);
		snprintf(path, sizeof(path), "%sx", rule->path);
		found = rule->path_len ? config_match(config, path) : NULL;
		REQUIRE(!found || found != rule);
		for (size_t k = 0; k < i; k++)
			REQUIRE(strcmp(config->rules[k].path, rule->path));
	}
}

static void check(const struct config *config)
{
	bool assumed = false;

	REQUIRE(config->nrules <= CONFIG_RULES_MAX);
	REQUIRE(config->log >= LOG_ERROR && config->log <= LOG_TRACE);
	REQUIRE(!config->stats || (config->stats[0] == '/' &&
				   strlen(config->stats) < PATH_MAX));
	for (size_t i = 0; i < config->nrules; i++) {
		check_rule(&config->rules[i]);
		assumed |= config->rules[i].assume_pmem;
	}
	REQUIRE(config->any_assume_pmem == assumed);
	check_match(config);
}

static const char *word(enum option_key key, unsigned int n)
{
	static char words[8][64];
	const char *form = option_keys[key].form;

	while (n--)
		form = strchr(form, '|') + 1;
	snprintf(words[key % 8], 64, "%.*s", (int)strcspn(form, "|"), form);
	return words[key % 8];
}

static void write_size(FILE *out, const char *key, uint64_t value)
{
	if (value == CONFIG_AUTO || value == CONFIG_NEVER)
		fprintf(out, ",%s=%s", key,
			value == CONFIG_AUTO ? "auto" : "never");
	else
		fprintf(out, ",%s=%llu", key, (unsigned long long)value);
}

static void write_path(FILE *out, const struct config_rule *rule)
{
	for (const char *p = rule->path_len ? rule->path : "/"; *p; p++)
		fprintf(out, strchr(";,\\", *p) ? "\\%c" : "%c", *p);
}

/* As a user would write it. Times below a microsecond cannot be. */
static void write_rule(FILE *out, const struct config_rule *rule)
{
	write_path(out, rule);
	fprintf(out, ",mode=%s", word(OPTION_KEY_mode, rule->mode));
	fprintf(out, ",flush=%s", word(OPTION_KEY_flush, rule->flush));
	fprintf(out, ",copy=%s", word(OPTION_KEY_copy, rule->copy));
	fprintf(out, ",map_sync=%s", word(OPTION_KEY_map_sync, rule->map_sync));
	fprintf(out, ",verify=%s", rule->verify ? "yes" : "no");
	fprintf(out, ",assume_pmem=%s", rule->assume_pmem ? "yes" : "no");
	write_size(out, "copy_min", rule->copy_min);
	write_size(out, "kernel_above", rule->kernel_above);
	if (rule->refresh == CONFIG_NEVER)
		fputs(",refresh=0", out);
	else
		fprintf(out, ",refresh=%lluus",
			(unsigned long long)rule->refresh / 1000);
}

static void check_same(const struct config *a, const struct config *b)
{
	REQUIRE(a->nrules == b->nrules);
	for (size_t i = 0; i < a->nrules; i++) {
		struct config_rule x = a->rules[i], y = b->rules[i];

		REQUIRE(!strcmp(x.path, y.path));
		x.path = y.path = NULL;
		REQUIRE(x.mode == y.mode && x.flush == y.flush &&
			x.copy == y.copy && x.map_sync == y.map_sync &&
			x.copy_min == y.copy_min &&
			x.kernel_above == y.kernel_above &&
			x.refresh == y.refresh && x.verify == y.verify &&
			x.assume_pmem == y.assume_pmem);
	}
}

static void parse(const char *paths, const char *defaults, const char *stats,
		  const char *log, struct config *out)
{
	struct config_env env = { .paths = paths, .defaults = defaults,
				  .stats = stats, .log = log };

	config_parse(&env, "/dev/null", "/nonexistent", out);
}

/* The rules' paths are static, so they are written down before the next parse. */
static char *keep_paths(struct config *config)
{
	char *all = malloc(CONFIG_RULES_MAX * PATH_MAX), *p = all;

	for (size_t i = 0; i < config->nrules; i++) {
		memcpy(p, config->rules[i].path, config->rules[i].path_len + 1);
		config->rules[i].path = p;
		p += config->rules[i].path_len + 1;
	}
	return all;
}

static void check_round_trip(struct config *config)
{
	static struct config again;
	char *text = NULL, *paths = keep_paths(config);
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < config->nrules; i++) {
		if (i)
			fputc(';', out);
		write_rule(out, &config->rules[i]);
	}
	fclose(out);
	parse(text, NULL, NULL, NULL, &again);
	check_same(config, &again);
	free(text);
	free(paths);
}

/* One wrong rule, or key, anywhere: no rule is left. */
static void check_broken(const char *paths, const char *defaults)
{
	static const char *const wrong[] = { ";relative", ";/x,", ";/x,mode",
					     ";/x,mode=on", ";/\\x",
					     ";/x,verify=yes,verify=yes" };
	static struct config out;
	char *text = malloc(strlen(paths) + 64);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		sprintf(text, "%s%s", paths, wrong[i]);
		parse(text, defaults, NULL, NULL, &out);
		REQUIRE(out.nrules == 0);
		sprintf(text, "%s;%s", wrong[i] + 1, paths);
		parse(text, defaults, NULL, NULL, &out);
		REQUIRE(out.nrules == 0);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	char *text = malloc(size + 1), *rest = text;
	char *lines[4] = { NULL };

	memcpy(text, data, size);
	text[size] = '\0';
	for (int i = 0; i < 4 && rest; i++)
		lines[i] = strsep(&rest, "\n");
	/* A line that is empty is a variable that is not set. */
	for (int i = 1; i < 4; i++)
		if (lines[i] && !*lines[i])
			lines[i] = NULL;
	parse(lines[0], lines[1], lines[2], lines[3], &config);
	check(&config);
	if (config.nrules) {
		check_round_trip(&config);
		check_broken(lines[0], lines[1]);
	}
	free(text);
	return 0;
}
