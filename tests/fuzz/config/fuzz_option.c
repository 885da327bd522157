/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_option.c: one option's text. The first byte picks the option. Numbers
 * are what wider arithmetic makes of them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/option.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(what) do { if (!(what)) __builtin_trap(); } while (0)

static const struct { const char *name; uint64_t factor; } units[] = {
	{ "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 },
	{ "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
};

/* Whether text is a number in bounds, and which. */
static bool value_of(const struct option *option, const char *text,
		     uint64_t *value)
{
	size_t digits = strspn(text, "0123456789");
	bool is_time = option->type == OPTION_TIME;
	const size_t first = is_time ? 4 : 0;
	const size_t end = is_time ? 7 : option->type == OPTION_NUMBER ? 1 : 4;
	unsigned __int128 n = 0;

	for (size_t i = 0; i < digits; i++)
		if (n < (unsigned __int128)1 << 64)
			n = n * 10 + (unsigned int)(text[i] - '0');
	for (size_t i = first; digits && i < end; i++)
		if (!strcmp(text + digits, units[i].name)) {
			if (n > option->max)
				return false;
			n *= units[i].factor;
			*value = (uint64_t)n;
			return n >= option->min && n <= option->max;
		}
	*value = 0;
	return is_time && !strcmp(text, "0");
}

static bool is_word(const char *form, const char *text)
{
	char *copy = strdup(form), *rest = copy, *word;
	bool found = false;

	while ((word = strsep(&rest, "|")))
		found |= !strcmp(word, text);
	free(copy);
	return found;
}

static bool is_special(const struct option *option, const char *text)
{
	return (!strcmp(text, "auto") || !strcmp(text, "never")) &&
	       is_word(option->form, text);
}

static void check(const struct option *option, const char *text, bool accepted,
		  uint64_t got)
{
	uint64_t want;

	if (option->type == OPTION_WORD) {
		REQUIRE(accepted == is_word(option->form, text));
	} else if (option->type == OPTION_SIZE && is_special(option, text)) {
		REQUIRE(accepted && got >= CONFIG_AUTO);
	} else {
		bool right = value_of(option, text, &want);

		if (option->type == OPTION_TIME && want == 0)
			want = CONFIG_NEVER;
		REQUIRE(accepted == right);
		REQUIRE(!accepted || got == want);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct option *option;
	uint64_t value = 1;
	char *text, *exact;
	const char *problem;

	if (size < 1)
		return 0;
	option = &option_keys[data[0] % OPTION_KEYS_COUNT];
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	/* Without an end of its own, so that an over-read shows. */
	exact = malloc(strlen(text) ? strlen(text) : 1);
	memcpy(exact, text, strlen(text));
	problem = option_parse(option, (struct span){ exact, strlen(text) },
			       &value);
	check(option, text, !problem, value);
	free(exact);
	free(text);
	return 0;
}
