/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_cli_json.c: what json.c writes is JSON whatever goes in.
 */
#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"

static char *text;
static size_t text_len;
static struct json json;

static void begin(void)
{
	json_begin(&json, open_memstream(&text, &text_len));
}

static const char *written(void)
{
	fflush(json.file);
	return text;
}

TestSuite(cli_json, .init = begin);

Test(cli_json, nested_values_have_commas_between_and_indents_before)
{
	json_object(&json, NULL);
	json_uint(&json, "a", UINT64_MAX);
	json_array(&json, "b");
	json_int(&json, NULL, INT64_MIN);
	json_object(&json, NULL);
	json_close(&json);
	json_close(&json);
	json_bool(&json, "c", true);
	json_null(&json, "d");
	json_array(&json, "e");
	json_close(&json);
	json_close(&json);
	json_end(&json);
	cr_assert_str_eq(written(), "{\n  \"a\": 18446744073709551615,\n"
				    "  \"b\": [\n    -9223372036854775808,\n"
				    "    {}\n  ],\n  \"c\": true,\n"
				    "  \"d\": null,\n  \"e\": []\n}\n");
}

Test(cli_json, quotes_backslashes_and_controls_are_escaped)
{
	json_string(&json, NULL, "\"\\\n\t\r\001\177/");
	cr_assert_str_eq(written(), "\"\\\"\\\\\\n\\t\\u000d\\u0001\\u007f/\"");
}

Test(cli_json, keys_are_escaped_too)
{
	json_object(&json, NULL);
	json_null(&json, "a\"b");
	json_close(&json);
	cr_assert_str_eq(written(), "{\n  \"a\\\"b\": null\n}");
}

Test(cli_json, utf8_passes)
{
	static const char good[] =
		"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";
	size_t i;

	json_string(&json, NULL, good);
	written();
	cr_assert_eq(text_len, sizeof(good) + 1);
	for (i = 0; i < sizeof(good) - 1; i++)
		cr_assert_eq(text[i + 1], good[i]);
}

Test(cli_json, what_is_not_utf8_is_replaced)
{
	/* overlong, a surrogate, too high, alone, cut short */
	static const char *const bad[] = {"\xc0\x80", "\xe0\x9f\xbf",
					  "\xed\xa0\x80", "\xf4\x90\x80\x80",
					  "\x80", "\xff", "\xe2\x82", "\xf0\x9f\x98"};
	size_t i, k;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin();
		json_string(&json, NULL, bad[i]);
		written();
		cr_assert_eq(text_len, 2 + 6 * strlen(bad[i]));
		for (k = 0; k < strlen(bad[i]); k++)
			cr_assert_eq(strncmp(text + 1 + 6 * k, "\\ufffd", 6), 0);
	}
}

Test(cli_json, numbers_read_back_as_they_were)
{
	static const double numbers[] = {0,	 1,	  0.1,	      1.0 / 3,
					 -2e-308, 1e308, 123456789.0, 1e21};
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		begin();
		json_real(&json, NULL, numbers[i]);
		cr_assert_eq(strtod(written(), NULL), numbers[i]);
	}
}

Test(cli_json, short_numbers_stay_short)
{
	json_real(&json, NULL, 0.1);
	cr_assert_str_eq(written(), "0.1");
}

Test(cli_json, no_number_is_null)
{
	json_array(&json, NULL);
	json_real(&json, NULL, NAN);
	json_real(&json, NULL, -INFINITY);
	json_close(&json);
	cr_assert_str_eq(written(), "[\n  null,\n  null\n]");
}

Test(cli_json, formatted_text)
{
	json_stringf(&json, NULL, "%d%s", 1, "\"");
	cr_assert_str_eq(written(), "\"1\\\"\"");
}
