/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json.c: JSON, written as it comes, see json.h.
 */
#include "cli/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

/*
 * The length of the UTF-8 sequence at text, 0 when it is none: overlong
 * forms, surrogates and what is beyond U+10FFFF are none (RFC 3629).
 */
static unsigned int utf8_length(const unsigned char *text)
{
	unsigned char low = 0x80, high = 0xbf;
	unsigned int i, len;

	if (text[0] < 0x80)
		return 1;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	len = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	if (text[0] == 0xe0)
		low = 0xa0;
	else if (text[0] == 0xed)
		high = 0x9f;
	else if (text[0] == 0xf0)
		low = 0x90;
	else if (text[0] == 0xf4)
		high = 0x8f;
	for (i = 1; i < len; i++) {
		if (text[i] < low || text[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return len;
}

static void put_ascii(FILE *file, unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		fprintf(file, "\\%c", c);
		break;
	case '\n':
		fputs("\\n", file);
		break;
	case '\t':
		fputs("\\t", file);
		break;
	default:
		if (c < 0x20 || c == 0x7f)
			fprintf(file, "\\u%04x", c);
		else
			putc(c, file);
	}
}

static void put_string(FILE *file, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned int len;

	putc('"', file);
	for (; *p; p += len ? len : 1) {
		len = utf8_length(p);
		if (len == 0)
			fputs("\\ufffd", file);
		else if (len == 1)
			put_ascii(file, *p);
		else
			fwrite(p, 1, len, file);
	}
	putc('"', file);
}

static void indent(struct json *json)
{
	unsigned int i;

	putc('\n', json->file);
	for (i = 0; i < json->depth; i++)
		fputs("  ", json->file);
}

/* What stands before a value: the comma of the last one, and its own key. */
static void lead(struct json *json, const char *key)
{
	if (json->filled[json->depth])
		putc(',', json->file);
	json->filled[json->depth] = true;
	if (json->depth > 0)
		indent(json);
	if (key) {
		put_string(json->file, key);
		fputs(": ", json->file);
	}
}

static void open_value(struct json *json, const char *key, char opening,
		       char closing)
{
	assert(json->depth < JSON_DEPTH);
	lead(json, key);
	putc(opening, json->file);
	json->closing[json->depth] = closing;
	json->depth++;
	json->filled[json->depth] = false;
}

void json_begin(struct json *json, FILE *file)
{
	*json = (struct json){.file = file};
}

void json_end(struct json *json)
{
	assert(json->depth == 0);
	putc('\n', json->file);
}

void json_object(struct json *json, const char *key)
{
	open_value(json, key, '{', '}');
}

void json_array(struct json *json, const char *key)
{
	open_value(json, key, '[', ']');
}

void json_close(struct json *json)
{
	bool filled = json->filled[json->depth];

	assert(json->depth > 0);
	json->depth--;
	if (filled)
		indent(json);
	putc(json->closing[json->depth], json->file);
}

void json_string(struct json *json, const char *key, const char *text)
{
	lead(json, key);
	put_string(json->file, text);
}

void json_stringf(struct json *json, const char *key, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0) {
		json_null(json, key);
		return;
	}
	json_string(json, key, text);
	free(text);
}

void json_uint(struct json *json, const char *key, uint64_t number)
{
	lead(json, key);
	fprintf(json->file, "%" PRIu64, number);
}

void json_int(struct json *json, const char *key, int64_t number)
{
	lead(json, key);
	fprintf(json->file, "%" PRId64, number);
}

/* The shortest form that reads back as the same number. */
void json_real(struct json *json, const char *key, double number)
{
	char text[32];
	int digits;

	if (!isfinite(number)) {
		json_null(json, key);
		return;
	}
	for (digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	lead(json, key);
	fputs(text, json->file);
}

void json_bool(struct json *json, const char *key, bool value)
{
	lead(json, key);
	fputs(value ? "true" : "false", json->file);
}

void json_null(struct json *json, const char *key)
{
	lead(json, key);
	fputs("null", json->file);
}
