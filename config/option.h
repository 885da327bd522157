/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * option.h: the option table of options.def, and one option's text as a
 * number. Private to config/ and its tests.
 */
#ifndef PMEMSHIM_OPTION_H
#define PMEMSHIM_OPTION_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Text inside a longer text, not terminated. */
struct span {
	const char *at;
	size_t len;
};

static inline struct span span_of(const char *text)
{
	return (struct span){ text, strlen(text) };
}

/*
 * A text quoted by "%.*s%s", short enough that a line with both fits one
 * message even if every byte of them is escaped there.
 */
#define SPAN_ARGS(s, max) \
	(int)((s).len < (max) ? (s).len : (max)), (s).at, \
	(s).len > (max) ? "..." : ""
#define RULE_ARGS(s)	SPAN_ARGS(s, 80)
#define VALUE_ARGS(s)	SPAN_ARGS(s, 40)

enum option_type {
	OPTION_RULES,
	OPTION_KEYS,
	OPTION_FILE,
	OPTION_WORD,
	OPTION_SIZE,
	OPTION_TIME,
	OPTION_NUMBER
};

struct option {
	const char *name;
	const char *deflt;
	const char *form;
	uint64_t min;
	uint64_t max;
	enum option_type type;
};

enum option_variable {
#define VARIABLE(field, ...) OPTION_VARIABLE_##field,
#include "config/options.def"
	OPTION_VARIABLES
};

enum option_key {
#define KEY(field, ...) OPTION_KEY_##field,
#include "config/options.def"
	OPTION_KEYS_COUNT
};

extern const struct option option_variables[OPTION_VARIABLES];
extern const struct option option_keys[OPTION_KEYS_COUNT];

/* Every name, separated by a comma and a space. */
extern const char *const option_variable_names;
extern const char *const option_key_names;

/*
 * The value of text by the rules of a WORD, SIZE, TIME or NUMBER option: NULL and
 * *value, or what is wrong with it as the end of a sentence.
 */
const char *option_parse(const struct option *option, struct span text,
			 uint64_t *value);

/* The opposite: a text that option_parse makes value of. */
void option_spell(const struct option *option, uint64_t value, char *out,
		  size_t size);

/* Write what the option accepts, in words, to out. */
void option_describe(const struct option *option, char *out, size_t size);

#endif
