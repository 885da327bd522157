/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probe_rule.c: a rule, key by key, as it would be written in PMEMSHIM_PATHS.
 *
 * Design: config_spell writes it, and options.def knows the defaults, so a new
 * key or mode appears here by itself. Without cli.h, whose argp brings
 * getopt's struct option.
 */
#include "cli/probe.h"

#include <string.h>

#include "config/option.h"

static bool is_usual(const char *name, const char *value)
{
	uint64_t now, usual;
	unsigned int i;

	for (i = 0; i < OPTION_KEYS_COUNT; i++)
		if (!strcmp(option_keys[i].name, name))
			return !option_parse(&option_keys[i], span_of(value),
					     &now) &&
			       !option_parse(&option_keys[i],
					     span_of(option_keys[i].deflt),
					     &usual) && now == usual;
	return false;
}

void probe_rule_each(const struct config_rule *rule, bool all, probe_key_fn fn,
		     void *arg)
{
	char text[1024], *rest = text, *key, *value;

	config_spell(rule, text, sizeof(text));
	while ((key = strsep(&rest, ","))) {
		value = strchr(key, '=');
		if (!value)
			continue;
		*value++ = '\0';
		if (all || !strcmp(key, "mode") || !is_usual(key, value))
			fn(arg, key, value);
	}
}
