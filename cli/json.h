/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json.h: JSON, written as it comes.
 *
 * Design: one value after the other to a FILE, indented by two spaces. key is
 * NULL inside an array and for the outermost value. The output is valid JSON
 * and valid UTF-8 for any bytes: what is not UTF-8 becomes U+FFFD, and what
 * is not a number (NaN, infinity) becomes null.
 */
#ifndef PMEMSHIM_JSON_H
#define PMEMSHIM_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH 32	/* deeper is a bug */

struct json {
	FILE *file;
	unsigned int depth;
	bool filled[JSON_DEPTH + 1];	/* something stands at this depth */
	char closing[JSON_DEPTH + 1];	/* what ends it: '}' or ']' */
};

void json_begin(struct json *json, FILE *file);
void json_end(struct json *json);	/* of the document: a newline */

void json_object(struct json *json, const char *key);	/* opens one */
void json_array(struct json *json, const char *key);	/* opens one */
void json_close(struct json *json);	/* the innermost that is open */

void json_string(struct json *json, const char *key, const char *text);
void json_stringf(struct json *json, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void json_uint(struct json *json, const char *key, uint64_t number);
void json_int(struct json *json, const char *key, int64_t number);
void json_real(struct json *json, const char *key, double number);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

#endif
