/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_match.c: paths of rules, a line each, and in the last line the path to
 * find a rule for. The longest that is it or one of its parents wins.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(what) do { if (!(what)) __builtin_trap(); } while (0)

static bool is_below(const char *path, const char *rule)
{
	char *copy = strdup(path), *end;
	bool below;

	/* Components off the end until it is the rule's. */
	for (end = copy + strlen(copy); strcmp(copy, rule) && end; ) {
		end = strrchr(copy, '/');
		if (end)
			*end = '\0';
	}
	below = !strcmp(copy, rule);
	free(copy);
	return below;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	char *text = malloc(size + 1), *rest = text, *line, *path = text;
	const struct config_rule *best = NULL;

	memcpy(text, data, size);
	text[size] = '\0';
	config.nrules = 0;
	while ((line = strsep(&rest, "\n")) && config.nrules < CONFIG_RULES_MAX) {
		path = line;
		if (rest)
			config.rules[config.nrules++] = (struct config_rule){
				.path = line, .path_len = strlen(line) };
	}
	for (size_t i = 0; i < config.nrules; i++)
		if (is_below(path, config.rules[i].path) &&
		    (!best || best->path_len < config.rules[i].path_len))
			best = &config.rules[i];
	REQUIRE(config_match(&config, path) == best);
	free(text);
	return 0;
}
