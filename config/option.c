/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * option.c: the option table, and one option's text as a number.
 */
#include "config/option.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"

#define ROW(field, name, type, deflt, min, max, form, help) \
	{ name, deflt, form, min, max, OPTION_##type },

const struct option option_variables[OPTION_VARIABLES] = {
#define VARIABLE ROW
#include "config/options.def"
};

const struct option option_keys[OPTION_KEYS_COUNT] = {
#define KEY ROW
#include "config/options.def"
};

#define LISTED(field, name, ...) ", " name

const char *const option_variable_names = &(""
#define VARIABLE LISTED
#include "config/options.def"
)[2];

const char *const option_key_names = &(""
#define KEY LISTED
#include "config/options.def"
)[2];

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{ "", 1 },
	{ "K", UINT64_C(1) << 10 },
	{ "M", UINT64_C(1) << 20 },
	{ "G", UINT64_C(1) << 30 },
	{ NULL, 0 }
};

static const struct unit time_units[] = {
	{ "us", UINT64_C(1000) },
	{ "ms", UINT64_C(1000000) },
	{ "s", UINT64_C(1000000000) },
	{ NULL, 0 }
};

static const struct unit no_units[] = {
	{ "", 1 },
	{ NULL, 0 }
};

static bool span_is(struct span s, const char *text)
{
	return strlen(text) == s.len && memcmp(text, s.at, s.len) == 0;
}

/* Which of the words in "a|b|c" the text is, or -1. */
static int word_index(const char *words, struct span text)
{
	struct span word = { words, 0 };
	int i;

	for (i = 0;; i++) {
		word.len = strcspn(word.at, "|");
		if (word.len == text.len &&
		    memcmp(word.at, text.at, text.len) == 0)
			return i;
		if (word.at[word.len] == '\0')
			return -1;
		word.at += word.len + 1;
	}
}

static const char *parse_word(const struct option *option, struct span text,
			      uint64_t *value)
{
	const int i = word_index(option->form, text);

	if (i < 0)
		return "is unknown";
	*value = (uint64_t)i;
	return NULL;
}

/* Digits at the start of text, taken off it. */
static const char *parse_digits(struct span *text, uint64_t max,
				uint64_t *value)
{
	const char *const start = text->at;
	uint64_t digit;

	*value = 0;
	while (text->len > 0 && *text->at >= '0' && *text->at <= '9') {
		digit = (uint64_t)(*text->at - '0');
		if (digit > max || *value > (max - digit) / 10)
			return "is too large";
		*value = *value * 10 + digit;
		text->at++;
		text->len--;
	}
	return text->at == start ? "is not a number" : NULL;
}

static const char *parse_number(const struct option *option,
				const struct unit *unit, struct span text,
				uint64_t *value)
{
	const char *const problem = parse_digits(&text, option->max, value);

	if (problem)
		return problem;
	while (unit->name && !span_is(text, unit->name))
		unit++;
	if (!unit->name)
		return text.len == 0 ? "has no unit" : "has an unknown unit";
	if (*value > option->max / unit->factor)
		return "is too large";
	*value *= unit->factor;
	return *value < option->min ? "is too small" : NULL;
}

static const char *parse_size(const struct option *option, struct span text,
			      uint64_t *value)
{
	const bool is_word = word_index(option->form, text) >= 0;

	if (is_word && span_is(text, "auto"))
		*value = CONFIG_AUTO;
	else if (is_word && span_is(text, "never"))
		*value = CONFIG_NEVER;
	else
		return parse_number(option, size_units, text, value);
	return NULL;
}

static const char *parse_time(const struct option *option, struct span text,
			      uint64_t *value)
{
	const char *problem = NULL;

	if (span_is(text, "0"))
		*value = 0;
	else
		problem = parse_number(option, time_units, text, value);
	if (!problem && *value == 0)
		*value = CONFIG_NEVER;
	return problem;
}

const char *option_parse(const struct option *option, struct span text,
			 uint64_t *value)
{
	if (text.len == 0)
		return "is empty";
	if (option->type == OPTION_SIZE)
		return parse_size(option, text, value);
	if (option->type == OPTION_TIME)
		return parse_time(option, text, value);
	if (option->type == OPTION_NUMBER)
		return parse_number(option, no_units, text, value);
	return parse_word(option, text, value);
}

static void spell_word(const char *words, uint64_t i, char *out, size_t size)
{
	while (i-- > 0)
		words += strcspn(words, "|") + 1;
	snprintf(out, size, "%.*s", (int)strcspn(words, "|"), words);
}

void option_spell(const struct option *option, uint64_t value, char *out,
		  size_t size)
{
	if (option->type == OPTION_WORD)
		spell_word(option->form, value, out, size);
	else if (option->type == OPTION_SIZE && value == CONFIG_AUTO)
		snprintf(out, size, "auto");
	else if (option->type == OPTION_SIZE && value == CONFIG_NEVER)
		snprintf(out, size, "never");
	else if (option->type == OPTION_TIME && value == CONFIG_NEVER)
		snprintf(out, size, "0");
	else if (option->type == OPTION_TIME)
		snprintf(out, size, "%" PRIu64 "us", value / 1000);
	else
		snprintf(out, size, "%" PRIu64, value);
}

void option_describe(const struct option *option, char *out, size_t size)
{
	if (option->type == OPTION_SIZE)
		snprintf(out, size, "%s (bytes, or with K, M or G; %" PRIu64
			 " to %" PRIu64 "G)", option->form, option->min,
			 option->max >> 30);
	else if (option->type == OPTION_TIME)
		snprintf(out, size, "%s (with us, ms or s; at most %" PRIu64
			 "s)", option->form,
			 option->max / UINT64_C(1000000000));
	else if (option->type == OPTION_NUMBER)
		snprintf(out, size, "%s (%" PRIu64 " to %" PRIu64 ")",
			 option->form, option->min, option->max);
	else
		snprintf(out, size, "%s", option->form);
}
