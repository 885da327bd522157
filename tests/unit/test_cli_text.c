/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_cli_text.c: how cli.c prints and reads numbers, and library.c what
 * LD_PRELOAD can hold.
 */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "cli/cli.h"

static char buf[CLI_TEXT];

Test(cli_text, bytes_have_three_digits_and_binary_units)
{
	cr_assert_str_eq(cli_text_bytes(buf, 0), "0 B");
	cr_assert_str_eq(cli_text_bytes(buf, 999), "999 B");
	cr_assert_str_eq(cli_text_bytes(buf, 4096), "4 KiB");
	cr_assert_str_eq(cli_text_bytes(buf, 5000), "4.88 KiB");
	cr_assert_str_eq(cli_text_bytes(buf, 1000000), "977 KiB");
	cr_assert_str_eq(cli_text_bytes(buf, UINT64_C(1) << 30), "1 GiB");
	cr_assert_str_eq(cli_text_bytes(buf, 834211840), "796 MiB");
	cr_assert_str_eq(cli_text_bytes(buf, UINT64_MAX), "16.0 EiB");
}

Test(cli_text, times_have_three_digits)
{
	cr_assert_str_eq(cli_text_time(buf, 0), "0.00 ns");
	cr_assert_str_eq(cli_text_time(buf, 14.96), "15.0 ns");
	cr_assert_str_eq(cli_text_time(buf, 9.996), "10.0 ns");
	cr_assert_str_eq(cli_text_time(buf, 999.6), "1.00 us");
	cr_assert_str_eq(cli_text_time(buf, 1530), "1.53 us");
	cr_assert_str_eq(cli_text_time(buf, 15.3e6), "15.3 ms");
	cr_assert_str_eq(cli_text_time(buf, 12e9), "12.0 s");
	cr_assert_str_eq(cli_text_time(buf, 1234e9), "1234 s");
}

Test(cli_text, counts_have_commas)
{
	cr_assert_str_eq(cli_text_count(buf, 0), "0");
	cr_assert_str_eq(cli_text_count(buf, 999), "999");
	cr_assert_str_eq(cli_text_count(buf, 1000), "1,000");
	cr_assert_str_eq(cli_text_count(buf, 1234567), "1,234,567");
	cr_assert_str_eq(cli_text_count(buf, UINT64_MAX),
			 "18,446,744,073,709,551,615");
}

Test(cli_text, sizes_are_read_with_their_units)
{
	uint64_t size;

	cr_assert(cli_parse_size("0", &size) && size == 0);
	cr_assert(cli_parse_size("4k", &size) && size == 4096);
	cr_assert(cli_parse_size("2M", &size) && size == 2 << 20);
	cr_assert(cli_parse_size("1G", &size) && size == 1 << 30);
	cr_assert(cli_parse_size("16777215T", &size));
}

Test(cli_text, what_is_no_size_is_refused)
{
	static const char *const bad[] = {"", "K", "-1", "+1", " 1", "1KB",
					  "1 K", "1X", "0x10", "16777216T",
					  "18446744073709551616"};
	uint64_t size;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(cli_parse_size(bad[i], &size), "%s", bad[i]);
}

Test(cli_text, numbers_have_bounds)
{
	uint64_t number;

	cr_assert(cli_parse_number("1", 1, 9, &number) && number == 1);
	cr_assert(cli_parse_number("9", 1, 9, &number) && number == 9);
	cr_assert_not(cli_parse_number("0", 1, 9, &number));
	cr_assert_not(cli_parse_number("10", 1, 9, &number));
	cr_assert_not(cli_parse_number("1 ", 1, 9, &number));
	cr_assert_not(cli_parse_number("", 0, 9, &number));
	cr_assert_not(cli_parse_number("-1", 0, UINT64_MAX, &number));
	cr_assert_not(cli_parse_number("18446744073709551616", 0, UINT64_MAX,
				       &number));
}

Test(cli_text, the_library_comes_behind_what_is_preloaded)
{
	cr_assert_str_eq(cli_preload("/a.so", NULL), "/a.so");
	cr_assert_str_eq(cli_preload("/a.so", ""), "/a.so");
	cr_assert_str_eq(cli_preload("/a.so", "b.so c.so"), "b.so c.so:/a.so");
}

Test(cli_text, what_ld_preload_cannot_hold_is_refused)
{
	cr_assert_null(cli_preload("/a b.so", NULL));
	cr_assert_null(cli_preload("/a:b.so", NULL));
	cr_assert_null(cli_preload("/$LIB/b.so", NULL));
}
