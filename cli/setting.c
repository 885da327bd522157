/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * setting.c: would the shim take this value? See setting.h.
 */
#include "cli/setting.h"

#include <assert.h>

#include "config/option.h"

static const struct option *find(const struct option *options, unsigned int n,
				 const char *name)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!strcmp(options[i].name, name))
			return &options[i];
	return NULL;
}

const char *setting_refused(const char *name, const char *text)
{
	const struct option *option = find(option_keys, OPTION_KEYS_COUNT, name);
	uint64_t value;

	if (!option)
		option = find(option_variables, OPTION_VARIABLES, name);
	assert(option);
	return option_parse(option, span_of(text), &value) ? option->form : NULL;
}
