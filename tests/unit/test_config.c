/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_config.c: the environment as text, what it means, and the exact line
 * that is printed when it means nothing.
 *
 * Design: Criterion runs each test in its own process, so descriptor 2, the
 * environment and the working directory are replaced there for good. Each
 * test has an empty directory `dir`, with a fake mount table and a fake sysfs
 * in it where it needs them.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/option.h"

#define INERT	"; no rule is used: every msync goes to the kernel\n"
#define KEYS	"mode, flush, copy, copy_min, kernel_above, pages, map_sync, verify, refresh, block, dirty, assume_pmem"
#define FORM	"RULE[;RULE...], each PATH[,KEY=VALUE...]"
#define SIZES	"SIZE (bytes, or with K, M or G; 1 to 1048576G)"
#define ABOVE	"SIZE|auto|never (bytes, or with K, M or G; 0 to 1048576G)"
#define TIMES	"TIME|0 (with us, ms or s; at most 31536000s)"

static char dir[] = "/tmp/pmemshim-config-XXXXXX";
static char mountinfo[PATH_MAX];
static char sysfs[PATH_MAX];
static struct config config;

/* Text made as by printf, that stays until the test ends. */
struct text {
	struct text *next;
	char *made;
};

static struct text *texts;

static const char *text(const char *fmt, ...)
{
	struct text *t = malloc(sizeof(*t));
	va_list args;

	va_start(args, fmt);
	cr_assert(t != NULL && vasprintf(&t->made, fmt, args) >= 0);
	va_end(args);
	t->next = texts;
	texts = t;
	return t->made;
}

static const char *in_dir(const char *name)
{
	return text("%s/%s", dir, name);
}

static void make_dir(const char *name)
{
	cr_assert(mkdir(in_dir(name), 0755) == 0, "%s", name);
}

static void make_file(const char *name, const char *content)
{
	FILE *f = fopen(in_dir(name), "w");

	cr_assert(f != NULL, "%s", name);
	cr_assert(fputs(content, f) >= 0);
	cr_assert(fclose(f) == 0);
}

static void make_link(const char *target, const char *name)
{
	cr_assert(symlink(target, in_dir(name)) == 0, "%s", name);
}

static int remove_entry(const char *name, const struct stat *st, int type,
			struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static void setup(void)
{
	cr_assert(mkdtemp(dir) != NULL);
	strcpy(mountinfo, in_dir("mountinfo"));
	strcpy(sysfs, in_dir("sys"));
}

static void teardown(void)
{
	struct text *t;

	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	while ((t = texts)) {
		texts = t->next;
		free(t->made);
		free(t);
	}
}

TestSuite(config, .init = setup, .fini = teardown, .timeout = 60);

/* Descriptor 2 becomes a new file; what was there is returned. */
static int capture(void)
{
	const int was = dup(STDERR_FILENO);
	const int fd = memfd_create("stderr", 0);

	cr_assert(was >= 0 && fd >= 0);
	cr_assert(dup2(fd, STDERR_FILENO) == STDERR_FILENO);
	close(fd);
	log_init();
	return was;
}

/* What was printed since; descriptor 2 is given back. */
static const char *captured(int was)
{
	static char printed[65536];
	const ssize_t n = pread(2, printed, sizeof(printed) - 1, 0);

	cr_assert(n >= 0);
	printed[n] = '\0';
	dup2(was, STDERR_FILENO);
	close(was);
	return printed;
}

/* Parse into `config`; what was printed. */
static const char *parse_env(struct config_env env)
{
	const int was = capture();

	config_parse(&env, mountinfo, sysfs, &config);
	return captured(was);
}

static const char *parse(const char *paths)
{
	return parse_env((struct config_env){ .paths = paths });
}

static const struct config_rule *only_rule(const char *paths)
{
	cr_assert_str_eq(parse(paths), "", "%s", paths);
	cr_assert(config.nrules == 1, "%s: %zu rules", paths, config.nrules);
	return &config.rules[0];
}

static void expect_broken(const char *paths, const char *line)
{
	cr_assert_str_eq(parse(paths), line);
	cr_assert(config.nrules == 0, "%s", paths);
}

/* The value is wrong in the same words in a rule and as a default. */
static void expect_bad_key(const char *key, const char *problem)
{
	const char *printed;

	expect_broken(text("/,%s", key),
		      text("libpmemshim: PMEMSHIM_PATHS: rule 1 '/,%s': %s" INERT,
			   key, problem));
	printed = parse_env((struct config_env){ .paths = "/",
						 .defaults = key });
	cr_assert_str_eq(printed,
			 text("libpmemshim: PMEMSHIM_DEFAULTS: '%s': %s" INERT,
			      key, problem));
	cr_assert(config.nrules == 0);
}

/* The option table. */

Test(config, every_default_is_accepted_by_its_own_parser)
{
	uint64_t value;
	size_t i;

	for (i = 0; i < OPTION_KEYS_COUNT; i++)
		cr_assert_null(option_parse(&option_keys[i],
					    span_of(option_keys[i].deflt),
					    &value), "%s", option_keys[i].name);
}

Test(config, rule_without_keys_has_the_documented_defaults)
{
	const struct config_rule *rule = only_rule("/");

	cr_assert(rule->mode == CONFIG_MODE_AUTO);
	cr_assert(rule->flush == CONFIG_FLUSH_AUTO);
	cr_assert(rule->copy == CONFIG_COPY_AUTO);
	cr_assert(rule->copy_min == 1024);
	cr_assert(rule->kernel_above == CONFIG_AUTO);
	cr_assert(rule->map_sync == CONFIG_MAP_SYNC_PREFER);
	cr_assert(rule->verify);
	cr_assert(rule->refresh == 1000000000);
	cr_assert(!rule->assume_pmem);
	cr_assert(!rule->automatic);
	cr_assert(!config.any_assume_pmem);
}

/* Keys. */

Test(config, key_mode)
{
	cr_assert(only_rule("/,mode=flush")->mode == CONFIG_MODE_FLUSH);
	cr_assert(only_rule("/,mode=kernel")->mode == CONFIG_MODE_KERNEL);
	cr_assert(only_rule("/,mode=auto")->mode == CONFIG_MODE_AUTO);
	cr_assert(only_rule("/,mode=off")->mode == CONFIG_MODE_OFF);
}

Test(config, key_flush)
{
	cr_assert(only_rule("/,flush=auto")->flush == CONFIG_FLUSH_AUTO);
	cr_assert(only_rule("/,flush=clwb")->flush == CONFIG_FLUSH_CLWB);
	cr_assert(only_rule("/,flush=clflushopt")->flush ==
		  CONFIG_FLUSH_CLFLUSHOPT);
	cr_assert(only_rule("/,flush=clflush")->flush == CONFIG_FLUSH_CLFLUSH);
	cr_assert(only_rule("/,flush=none")->flush == CONFIG_FLUSH_NONE);
}

Test(config, key_copy)
{
	cr_assert(only_rule("/,copy=auto")->copy == CONFIG_COPY_AUTO);
	cr_assert(only_rule("/,copy=nt")->copy == CONFIG_COPY_NT);
	cr_assert(only_rule("/,copy=cached")->copy == CONFIG_COPY_CACHED);
	cr_assert(only_rule("/,copy=off")->copy == CONFIG_COPY_OFF);
}

Test(config, key_copy_min_in_every_unit)
{
	cr_assert(only_rule("/,copy_min=1")->copy_min == 1);
	cr_assert(only_rule("/,copy_min=4097")->copy_min == 4097);
	cr_assert(only_rule("/,copy_min=3K")->copy_min == 3072);
	cr_assert(only_rule("/,copy_min=5M")->copy_min == 5 << 20);
	cr_assert(only_rule("/,copy_min=7G")->copy_min == UINT64_C(7) << 30);
	cr_assert(only_rule("/,copy_min=1048576G")->copy_min ==
		  UINT64_C(1) << 50);
}

Test(config, key_kernel_above)
{
	cr_assert(only_rule("/,kernel_above=0")->kernel_above == 0);
	cr_assert(only_rule("/,kernel_above=4M")->kernel_above == 4 << 20);
	cr_assert(only_rule("/,kernel_above=auto")->kernel_above ==
		  CONFIG_AUTO);
	cr_assert(only_rule("/,kernel_above=never")->kernel_above ==
		  CONFIG_NEVER);
}

Test(config, key_map_sync)
{
	cr_assert(only_rule("/,map_sync=prefer")->map_sync ==
		  CONFIG_MAP_SYNC_PREFER);
	cr_assert(only_rule("/,map_sync=require")->map_sync ==
		  CONFIG_MAP_SYNC_REQUIRE);
}

Test(config, key_verify)
{
	cr_assert(only_rule("/,verify=yes")->verify);
	cr_assert(!only_rule("/,verify=no")->verify);
}

Test(config, key_refresh_in_every_unit)
{
	cr_assert(only_rule("/,refresh=2us")->refresh == 2000);
	cr_assert(only_rule("/,refresh=3ms")->refresh == 3000000);
	cr_assert(only_rule("/,refresh=4s")->refresh == 4000000000);
	cr_assert(only_rule("/,refresh=31536000s")->refresh ==
		  31536000000000000);
	cr_assert(only_rule("/,refresh=0")->refresh == CONFIG_NEVER);
	cr_assert(only_rule("/,refresh=0ms")->refresh == CONFIG_NEVER);
}

Test(config, key_dirty)
{
	cr_assert_eq(only_rule("/")->dirty, CONFIG_DIRTY_OFF);
	cr_assert_eq(only_rule("/,dirty=track")->dirty, CONFIG_DIRTY_TRACK);
	cr_assert_eq(only_rule("/,dirty=off")->dirty, CONFIG_DIRTY_OFF);
	expect_bad_key("dirty=yes", "dirty='yes' is unknown, accepted: off|track");
}

Test(config, key_assume_pmem_warns_that_nothing_is_durable)
{
	cr_assert_str_eq(parse("/,assume_pmem=yes"),
			 "libpmemshim: assume_pmem=yes: NOTHING IS DURABLE under '/': msync does not reach the kernel; only for tests and benchmarks\n");
	cr_assert(config.nrules == 1 && config.rules[0].assume_pmem);
	cr_assert(config.any_assume_pmem);
	cr_assert(!only_rule("/,assume_pmem=no")->assume_pmem);
	cr_assert(!config.any_assume_pmem);
}

Test(config, assume_pmem_of_several_rules_is_one_line)
{
	make_dir("a");
	make_dir("b");
	make_dir("c");
	cr_assert_str_eq(parse(text("%s/a;%s/b,assume_pmem=yes;%s/c,assume_pmem=yes",
				    dir, dir, dir)),
			 text("libpmemshim: assume_pmem=yes: NOTHING IS DURABLE under '%s/b' and 1 more: msync does not reach the kernel; only for tests and benchmarks\n",
			      dir));
	cr_assert(config.nrules == 3);
}

Test(config, assume_pmem_with_msync_in_turns_is_loud)
{
	cr_assert_str_eq(parse("/,assume_pmem=yes,mode=ab"),
			 "libpmemshim: assume_pmem=yes: NOTHING IS DURABLE under '/': msync does not reach the kernel; only for tests and benchmarks\n");
	cr_assert(config.rules[0].mode == CONFIG_MODE_AB);
}

Test(config, assume_pmem_with_the_kernels_msync_is_durable_and_silent)
{
	cr_assert(only_rule("/,assume_pmem=yes,mode=kernel")->assume_pmem);
	cr_assert(config.any_assume_pmem);
}

Test(config, several_keys_in_one_rule)
{
	const struct config_rule *rule =
		only_rule("/,mode=kernel,copy=off,copy_min=2K,refresh=5ms");

	cr_assert(rule->mode == CONFIG_MODE_KERNEL);
	cr_assert(rule->copy == CONFIG_COPY_OFF);
	cr_assert(rule->copy_min == 2048);
	cr_assert(rule->refresh == 5000000);
	cr_assert(rule->flush == CONFIG_FLUSH_AUTO);
}

/* Bad keys and values: the exact line. */

Test(config, words_that_are_not_accepted)
{
	static const char *const keys[] = { "mode", "flush", "copy", "map_sync",
					    "verify", "assume_pmem" };
	static const char *const forms[] = {
		"flush|kernel|ab|auto|off", "auto|clwb|clflushopt|clflush|none",
		"auto|nt|cached|off", "prefer|require", "no|yes", "no|yes"
	};
	static const char *const bad[] = { "bogus", "AUTO", " yes", "of",
					   "offf", "1", "flush|kernel", "|" };
	size_t i;
	size_t j;

	for (i = 0; i < 6; i++) {
		for (j = 0; j < 8; j++)
			expect_bad_key(text("%s=%s", keys[i], bad[j]),
				       text("%s='%s' is unknown, accepted: %s",
					    keys[i], bad[j], forms[i]));
		expect_bad_key(text("%s=", keys[i]),
			       text("%s='' is empty, accepted: %s", keys[i],
				    forms[i]));
	}
}

Test(config, key_pages)
{
	cr_assert(only_rule("/")->pages == CONFIG_PAGES_AUTO);
	cr_assert(only_rule("/,pages=small")->pages == CONFIG_PAGES_SMALL);
	cr_assert(only_rule("/,pages=huge")->pages == CONFIG_PAGES_HUGE);
	expect_bad_key("pages=4K",
		       "pages='4K' is unknown, accepted: auto|small|huge");
}

Test(config, sizes_that_are_not_accepted)
{
	static const struct {
		const char *value;
		const char *problem;
	} bad[] = {
		{ "", "is empty" },
		{ "K", "is not a number" },
		{ "-1", "is not a number" },
		{ "+1", "is not a number" },
		{ " 1", "is not a number" },
		{ "four", "is not a number" },
		{ "0x10", "has an unknown unit" },
		{ "1k", "has an unknown unit" },
		{ "1KB", "has an unknown unit" },
		{ "1K ", "has an unknown unit" },
		{ "1.5M", "has an unknown unit" },
		{ "1T", "has an unknown unit" },
		{ "1s", "has an unknown unit" },
		{ "1048577G", "is too large" },
		{ "1125899906842625", "is too large" },
		{ "18446744073709551615", "is too large" },
		{ "18446744073709551616", "is too large" },
		{ "18446744073709551616G", "is too large" },
		{ "99999999999999999999999999999999", "is too large" },
		{ "SIZE", "is not a number" },
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		expect_bad_key(text("copy_min=%s", bad[i].value),
			       text("copy_min='%s' %s, accepted: " SIZES,
				    bad[i].value, bad[i].problem));
		expect_bad_key(text("kernel_above=%s", bad[i].value),
			       text("kernel_above='%s' %s, accepted: " ABOVE,
				    bad[i].value, bad[i].problem));
	}
	expect_bad_key("copy_min=0", "copy_min='0' is too small, accepted: " SIZES);
	expect_bad_key("copy_min=0K",
		       "copy_min='0K' is too small, accepted: " SIZES);
	expect_bad_key("copy_min=never",
		       "copy_min='never' is not a number, accepted: " SIZES);
	expect_bad_key("copy_min=auto",
		       "copy_min='auto' is not a number, accepted: " SIZES);
}

Test(config, numbers_that_are_not_accepted)
{
	static const char *const bad[][2] = {
		{ "", "is empty" },	{ "0", "is too small" },
		{ "65537", "is too large" }, { "1K", "has an unknown unit" },
		{ "-1", "is not a number" }, { "1.5", "has an unknown unit" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_bad_key(text("block=%s", bad[i][0]),
			       text("block='%s' %s, accepted: NUMBER (1 to 65536)",
				    bad[i][0], bad[i][1]));
	cr_assert_eq(only_rule("/,block=65536")->block, 65536);
}

Test(config, times_that_are_not_accepted)
{
	static const struct {
		const char *value;
		const char *problem;
	} bad[] = {
		{ "", "is empty" },
		{ "s", "is not a number" },
		{ "-1s", "is not a number" },
		{ "never", "is not a number" },
		{ "5", "has no unit" },
		{ "5m", "has an unknown unit" },
		{ "5sec", "has an unknown unit" },
		{ "5 s", "has an unknown unit" },
		{ "5K", "has an unknown unit" },
		{ "0x", "has an unknown unit" },
		{ "31536001s", "is too large" },
		{ "31536000000000000s", "is too large" },
		{ "18446744073709551616us", "is too large" },
		{ "18446744073709551617s", "is too large" },
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_bad_key(text("refresh=%s", bad[i].value),
			       text("refresh='%s' %s, accepted: " TIMES,
				    bad[i].value, bad[i].problem));
}

Test(config, unknown_keys)
{
	expect_bad_key("mod=flush", "unknown key 'mod', accepted: " KEYS);
	expect_bad_key("modes=flush", "unknown key 'modes', accepted: " KEYS);
	expect_bad_key("Mode=flush", "unknown key 'Mode', accepted: " KEYS);
	expect_bad_key(" mode=flush", "unknown key ' mode', accepted: " KEYS);
	expect_bad_key("=flush", "unknown key '', accepted: " KEYS);
}

Test(config, key_without_a_value)
{
	expect_bad_key("mode", "'mode' is not KEY=VALUE, accepted keys: " KEYS);
	expect_bad_key("mode=off,",
		       "'' is not KEY=VALUE, accepted keys: " KEYS);
	expect_bad_key("mode=off,,copy=nt",
		       "'' is not KEY=VALUE, accepted keys: " KEYS);
}

Test(config, doubled_key)
{
	expect_bad_key("mode=off,copy=nt,mode=off",
		       "mode is given twice, accepted: each key once");
}

Test(config, first_error_is_the_only_line)
{
	expect_broken("/,mode=x;relative;/,y=1",
		      "libpmemshim: PMEMSHIM_PATHS: rule 1 '/,mode=x': mode='x' is unknown, accepted: flush|kernel|ab|auto|off" INERT);
	cr_assert_str_eq(parse_env((struct config_env){ .paths = "relative",
							.defaults = "x" }),
			 "libpmemshim: PMEMSHIM_DEFAULTS: 'x': 'x' is not KEY=VALUE, accepted keys: " KEYS INERT);
}

Test(config, missing_path_is_not_mentioned_when_the_list_is_broken)
{
	expect_broken(text("%s/missing;relative", dir),
		      "libpmemshim: PMEMSHIM_PATHS: rule 2 'relative': 'relative' is neither an absolute path nor auto, accepted: " FORM INERT);
}

/* The grammar of the list. */

Test(config, unset_paths_is_auto_and_silent_without_a_mount_table)
{
	cr_assert_str_eq(parse_env((struct config_env){ 0 }), "");
	cr_assert(config.nrules == 0);
}

Test(config, empty_paths_is_no_rule_and_silent)
{
	cr_assert_str_eq(parse(""), "");
	cr_assert(config.nrules == 0);
}

Test(config, empty_rules_are_skipped_and_not_counted)
{
	cr_assert_str_eq(only_rule(";;/tmp;")->path, "/tmp");
	cr_assert_str_eq(parse(";;;"), "");
	cr_assert(config.nrules == 0);
	expect_broken(";/;;x",
		      "libpmemshim: PMEMSHIM_PATHS: rule 2 'x': 'x' is neither an absolute path nor auto, accepted: " FORM INERT);
}

Test(config, paths_that_are_not_absolute)
{
	static const char *const bad[] = { "mnt/pmem", ".", "~/x", " /mnt",
					   "Auto", "autos", "aut", "auto ",
					   "mode=off", "\\;/x" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_broken(bad[i],
			      text("libpmemshim: PMEMSHIM_PATHS: rule 1 '%s': '%s' is neither an absolute path nor auto, accepted: " FORM INERT,
				   bad[i], bad[i]));
	expect_broken(",mode=off",
		      "libpmemshim: PMEMSHIM_PATHS: rule 1 ',mode=off': '' is neither an absolute path nor auto, accepted: " FORM INERT);
}

Test(config, escapes_stand_for_the_character)
{
	make_dir("a;b,c\\d");
	make_dir("e");
	cr_assert_str_eq(parse(text("%s/a\\;b\\,c\\\\d,mode=off;%s/e", dir, dir)),
			 "");
	cr_assert(config.nrules == 2);
	cr_assert_str_eq(config.rules[0].path, in_dir("a;b,c\\d"));
	cr_assert(config.rules[0].mode == CONFIG_MODE_OFF);
	cr_assert_str_eq(config.rules[1].path, in_dir("e"));
}

Test(config, escaped_backslash_before_a_separator_does_not_escape_it)
{
	make_dir("a\\");
	make_dir("b");
	cr_assert_str_eq(parse(text("%s/a\\\\;%s/b", dir, dir)), "");
	cr_assert(config.nrules == 2);
	cr_assert_str_eq(config.rules[0].path, in_dir("a\\"));
}

Test(config, other_escapes_are_errors)
{
	static const char *const bad[] = { "/a\\", "/a\\ b", "/a\\n", "\\/a",
					   "/a,mode=of\\f", "/a,mode=off\\" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_broken(bad[i],
			      text("libpmemshim: PMEMSHIM_PATHS: rule 1 '%s': a backslash stands before ; , or \\ only, accepted: " FORM INERT,
				   bad[i]));
}

Test(config, white_space_is_part_of_a_path)
{
	make_dir(" a b\n");
	cr_assert_str_eq(only_rule(text("%s/ a b\n", dir))->path,
			 in_dir(" a b\n"));
}

Test(config, doubled_path_is_broken_by_whatever_spelling)
{
	make_dir("a");
	make_link("a", "link");
	expect_broken(text("%s/a;/tmp;%s/./link/,mode=off", dir, dir),
		      text("libpmemshim: PMEMSHIM_PATHS: rule 3 '%s/./link/,mode=off': same path as rule 1 '%s/a', accepted: each path once" INERT,
			   dir, dir));
}

Test(config, doubled_auto_is_broken)
{
	expect_broken("auto;/;auto,mode=off",
		      "libpmemshim: PMEMSHIM_PATHS: rule 3 'auto,mode=off': auto is rule 1 already, accepted: auto once" INERT);
}

Test(config, sixty_four_rules_and_no_more)
{
	char list[8192] = "";
	size_t len = 0;
	int i;

	for (i = 0; i < 64; i++) {
		make_dir(text("%d", i));
		len += (size_t)sprintf(list + len, "%s/%d;", dir, i);
	}
	cr_assert_str_eq(parse(list), "");
	cr_assert(config.nrules == 64);
	strcat(list, "/tmp");
	expect_broken(list,
		      "libpmemshim: PMEMSHIM_PATHS: rule 65 '/tmp': one rule too many, accepted: 64" INERT);
}

Test(config, path_longer_than_the_kernel_takes_is_broken)
{
	char path[8192];

	memset(path, '/', sizeof(path));
	path[4095] = '\0';
	cr_assert(only_rule(path)->path_len == 0, "4095 slashes are a path");
	path[4095] = '/';
	path[4096] = '\0';
	expect_broken(path,
		      text("libpmemshim: PMEMSHIM_PATHS: rule 1 '%.80s...': the path is too long, accepted: 4095 bytes" INERT,
			   path));
}

Test(config, room_for_all_paths_together_is_bounded)
{
	char *list = calloc(1, 64 * 4096);
	const char *printed;
	size_t len = 0;
	int i;

	/* 20 paths of 4,000 bytes that do not exist. */
	for (i = 0; i < 20; i++) {
		len += (size_t)sprintf(list + len, "/missing-%02d", i);
		for (; len % 4000 != 3999; len++)
			list[len] = len % 200 == 0 ? '/' : 'x';
		list[len++] = ';';
	}
	printed = parse(list);
	cr_assert_str_eq(printed,
			 text("libpmemshim: PMEMSHIM_PATHS: rule 17 '%.80s...': no room for the path, accepted: 65536 bytes for all" INERT,
			      list + 16 * 4000));
	cr_assert(config.nrules == 0);
	free(list);
}

/* What is printed about a text that nobody trusts. */

Test(config, control_characters_are_shown_escaped)
{
	expect_broken("/,mode=\x1b[2J\n",
		      "libpmemshim: PMEMSHIM_PATHS: rule 1 '/,mode=\\x1b[2J\\x0a': mode='\\x1b[2J\\x0a' is unknown, accepted: flush|kernel|ab|auto|off" INERT);
}

Test(config, text_is_never_a_format)
{
	expect_bad_key("mode=%n%s%s%s",
		       "mode='%n%s%s%s' is unknown, accepted: flush|kernel|ab|auto|off");
}

Test(config, long_text_is_shown_in_part)
{
	char value[1001];

	memset(value, 'y', 1000);
	value[1000] = '\0';
	expect_broken(text("/,mode=%s", value),
		      text("libpmemshim: PMEMSHIM_PATHS: rule 1 '/,mode=%.73s...': mode='%.40s...' is unknown, accepted: flush|kernel|ab|auto|off" INERT,
			   value, value));
}

Test(config, longest_line_is_whole_even_when_all_of_it_is_escaped)
{
	char noise[1001];
	const char *printed;

	memset(noise, '\1', 1000);
	noise[1000] = '\0';
	printed = parse(text("/,%s=1", noise));
	cr_assert(strlen(printed) > 500);
	cr_assert_str_eq(printed + strlen(printed) - strlen(INERT), INERT);
	printed = parse(text("/tmp/%s;/tmp/./%s", noise, noise));
	cr_assert_str_eq(printed + strlen(printed) - strlen(INERT), INERT);
}

Test(config, sixteen_mebibytes_in_every_variable)
{
	const size_t len = 16 << 20;
	char *huge = malloc(len + 1);
	static const char fills[] = "/;,\\=a0 ";
	const char *c;
	const char *printed;

	for (c = fills; *c; c++) {
		memset(huge, *c, len);
		huge[0] = '/';
		huge[len] = '\0';
		printed = parse_env((struct config_env){ huge, NULL, huge,
							 huge, huge, huge });
		cr_assert(strlen(printed) < 4096);
		printed = parse_env((struct config_env){ "/", huge, huge,
							 huge, huge, huge });
		cr_assert(strlen(printed) < 4096);
		cr_assert(config.nrules == 0);
	}
	free(huge);
}

Test(config, deepbind_is_dropped_unless_it_is_to_be_kept)
{
	cr_assert_str_eq(parse_env((struct config_env){ .paths = "" }), "");
	cr_assert(!config.keep_deepbind);
	cr_assert_str_eq(parse_env((struct config_env){
				.paths = "", .deepbind = "keep" }), "");
	cr_assert(config.keep_deepbind);
	cr_assert_str_eq(parse_env((struct config_env){
				.paths = "", .deepbind = "drop" }), "");
	cr_assert(!config.keep_deepbind);
	cr_assert_str_eq(parse_env((struct config_env){
				.paths = "", .deepbind = "Keep" }),
			 "libpmemshim: PMEMSHIM_DEEPBIND: 'Keep' is unknown, accepted: drop|keep; drop is used\n");
	cr_assert(!config.keep_deepbind);
}

/* Paths by the file, not by the spelling. */

Test(config, symbolic_links_and_dots_are_resolved)
{
	make_dir("real");
	make_dir("real/sub");
	make_link("real/sub", "link");
	cr_assert_str_eq(only_rule(in_dir("link"))->path, in_dir("real/sub"));
	cr_assert_str_eq(only_rule(in_dir("./real//sub/"))->path,
			 in_dir("real/sub"));
	/* Lexically this would be dir itself. */
	cr_assert_str_eq(only_rule(in_dir("link/.."))->path, in_dir("real"));
	cr_assert(config.rules[0].path_len == strlen(config.rules[0].path));
}

Test(config, root_is_the_empty_path)
{
	cr_assert_str_eq(only_rule("/")->path, "");
	cr_assert(config.rules[0].path_len == 0);
	cr_assert_str_eq(only_rule("/tmp/../..//.")->path, "");
}

Test(config, rule_may_name_a_file)
{
	make_file("f", "");
	cr_assert_str_eq(only_rule(in_dir("f"))->path, in_dir("f"));
}

static void expect_missing(const char *name, const char *reason,
			   const char *kept)
{
	cr_assert_str_eq(parse(text("%s/%s,mode=off", dir, name)),
			 text("libpmemshim: PMEMSHIM_PATHS: rule 1 '%s/%s,mode=off': the path cannot be resolved (%s), expected: an existing file or directory; the rule is kept as it is spelled\n",
			      dir, name, reason));
	cr_assert(config.nrules == 1);
	cr_assert_str_eq(config.rules[0].path, in_dir(kept));
	cr_assert(config.rules[0].mode == CONFIG_MODE_OFF);
}

Test(config, missing_path_is_one_line_and_kept_for_later)
{
	expect_missing("x/y", "No such file or directory", "x/y");
	expect_missing("x//./z/../y/", "No such file or directory", "x/y");
}

Test(config, missing_path_follows_the_links_that_exist)
{
	make_dir("real");
	make_link("real", "link");
	make_link("gone", "dangling");
	expect_missing("link/x/y", "No such file or directory", "real/x/y");
	expect_missing("dangling", "No such file or directory", "dangling");
	make_link("loop", "loop");
	expect_missing("loop/x", "Too many levels of symbolic links", "loop/x");
	make_file("f", "");
	expect_missing("f/x", "Not a directory", "f/x");
}

Test(config, missing_path_that_resolves_to_more_than_the_kernel_takes)
{
	char deep[2200] = "real";
	char missing[2501];
	int i;

	make_dir(deep);
	for (i = 0; i < 10; i++) {
		sprintf(deep + strlen(deep), "/%0200d", i);
		make_dir(deep);
	}
	make_link(deep, "link");
	memset(missing, 'x', 2500);
	for (i = 100; i < 2500; i += 100)
		missing[i] = '/';
	missing[2500] = '\0';
	parse(text("%s/link/%s", dir, missing));
	cr_assert(config.nrules == 1);
	cr_assert_str_eq(config.rules[0].path,
			 text("%s/link/%s", dir, missing));
}

/* Defaults. */

Test(config, defaults_are_where_every_rule_starts)
{
	cr_assert_str_eq(parse_env((struct config_env){
				.paths = "/;/tmp,mode=off",
				.defaults = "mode=kernel,copy_min=9K" }), "");
	cr_assert(config.nrules == 2);
	cr_assert(config.rules[0].mode == CONFIG_MODE_KERNEL);
	cr_assert(config.rules[0].copy_min == 9 << 10);
	cr_assert(config.rules[1].mode == CONFIG_MODE_OFF);
	cr_assert(config.rules[1].copy_min == 9 << 10);
}

Test(config, empty_defaults_change_nothing)
{
	cr_assert_str_eq(parse_env((struct config_env){ .paths = "/",
							.defaults = "" }), "");
	cr_assert(config.nrules == 1);
	cr_assert(config.rules[0].copy_min == 1024);
}

/* auto. */

static void make_sysfs(void)
{
	make_dir("sys");
	make_dir("sys/dev");
	make_dir("sys/dev/block");
	make_dir("sys/devices");
	make_dir("sys/devices/pmem0");
	make_dir("sys/devices/pmem0/queue");
	make_file("sys/devices/pmem0/queue/dax", "1\n");
	make_dir("sys/devices/pmem0/pmem0p1");
	make_dir("sys/devices/sda");
	make_dir("sys/devices/sda/queue");
	make_file("sys/devices/sda/queue/dax", "0\n");
	make_dir("sys/devices/sda/sda1");
	make_link("../../devices/pmem0", "sys/dev/block/259:0");
	make_link("../../devices/pmem0/pmem0p1", "sys/dev/block/259:1");
	make_link("../../devices/sda", "sys/dev/block/8:0");
	make_link("../../devices/sda/sda1", "sys/dev/block/8:1");
}

/* The paths of all rules, each followed by a space. */
static const char *all_paths(void)
{
	static char all[65536];
	size_t i;

	all[0] = '\0';
	for (i = 0; i < config.nrules; i++) {
		strcat(all, config.rules[i].path);
		strcat(all, " ");
	}
	return all;
}

static void expect_auto(const char *table, const char *paths)
{
	make_file("mountinfo", table);
	cr_assert_str_eq(parse("auto"), "");
	cr_assert_str_eq(all_paths(), paths);
}

Test(config, auto_takes_mounts_with_a_dax_option)
{
	expect_auto("1 0 8:1 / / rw - ext4 /dev/sda1 rw,data=ordered\n"
		    "2 1 8:2 / /a rw shared:1 - ext4 /dev/x rw,dax\n"
		    "3 1 8:3 / /b rw shared:1 master:2 - xfs /dev/x rw,dax=always,attr2\n"
		    "4 1 8:4 / /c rw - ext4 /dev/x rw,dax=never\n"
		    "5 1 8:5 / /d rw - ext4 /dev/x rw,dax=inode\n"
		    "6 1 0:40 / /e rw - virtiofs tag rw,dax=always\n"
		    "7 1 0:41 / /f rw - tmpfs daxfs rw,daxy,nodax\n"
		    "8 1 8:6 / /dax rw - ext4 dax rw",
		    "/a /b /e ");
	cr_assert(config.rules[0].automatic);
	cr_assert(config.rules[0].mode == CONFIG_MODE_AUTO);
}

Test(config, auto_reads_over_what_a_later_kernel_may_add)
{
	expect_auto("1 0 8:1 / /a rw - ext4 x rw,dax 2 0 8:2 / /b rw - ext4 x rw,dax\n"
		    "3 0 8:3 / /c rw - ext4 x rw,dax more\n"
		    "4 0 8:4 / /d rw - ext4 x rw,dax\n", "/a /c /d ");
}

Test(config, auto_takes_mounts_whose_device_can_dax)
{
	make_sysfs();
	expect_auto("1 0 8:0 / / rw - ext4 /dev/sda rw\n"
		    "2 0 8:1 / /sda1 rw - ext4 /dev/sda1 rw\n"
		    "3 1 259:0 / /disk rw - ext4 /dev/pmem0 rw\n"
		    "4 1 259:1 / /part rw - xfs /dev/pmem0p1 rw,dax=inode\n"
		    "5 1 259:1 / /never rw - xfs /dev/pmem0p1 rw,dax=never\n"
		    "6 1 259:7 / /unknown rw - ext4 /dev/pmem7 rw\n"
		    "7 1 0:7 / /anon rw - overlay overlay rw\n"
		    "8 1 ../../x / /odd rw - ext4 /dev/pmem0 rw\n",
		    "/disk /part ");
}

Test(config, auto_decodes_octal_escapes)
{
	expect_auto("2 1 8:2 / /a\\040b\\011c\\134d\\012 rw - ext4 /dev/x rw,dax\n"
		    "2 1 8:2 / /e\\04 rw - ext4 /dev/x rw,dax\n",
		    "/a b\tc\\d\n /e\\04 ");
}

Test(config, auto_of_the_root_is_the_empty_path)
{
	expect_auto("1 0 8:1 / / rw - ext4 /dev/sda1 rw,dax\n", " ");
	cr_assert(config.rules[0].path_len == 0);
}

Test(config, auto_skips_lines_that_are_not_mounts)
{
	expect_auto("\n\n   \nnonsense\n1 2 3\n"
		    "2 1 8:2 / /a rw -\n"
		    "2 1 8:2 / /b rw - ext4\n"
		    "2 1 8:2 / /c rw - ext4 /dev/x\n"
		    "2 1 8:2 / relative rw - ext4 /dev/x rw,dax\n"
		    "2 1 8:2 / /d rw - ext4  rw,dax\n"
		    "2 1 8:2 / /last rw - ext4 /dev/x rw,dax", "/d /last ");
}

Test(config, auto_of_the_same_mount_point_twice_is_one_rule)
{
	expect_auto("2 1 8:2 / /a rw - ext4 /dev/x rw,dax\n"
		    "3 1 8:3 / /a rw - ext4 /dev/y rw,dax\n", "/a ");
}

Test(config, auto_reads_lines_of_any_length)
{
	char *table = malloc(3 << 20);
	char *p = table;
	int i;

	/* Lines of up to 512 KiB, and words that end at every offset. */
	for (i = 0; i < 5000; i++)
		p += sprintf(p, "%d 1 0:4 / /%0*d rw - overlay o rw\n", i,
			     i % 200 + 1, i);
	p += sprintf(p, "1 1 0:5 / /long rw - overlay overlay rw,lowerdir=");
	memset(p, 'l', 512 << 10);
	p += 512 << 10;
	p += sprintf(p, "\n2 1 8:2 / /a rw - ext4 /dev/x rw,dax\n3 1 8:2 / /");
	memset(p, 'm', 512 << 10);
	p += 512 << 10;
	sprintf(p, " rw - ext4 /dev/x rw,dax\n4 1 8:2 / /b rw - ext4 x dax\n");
	expect_auto(table, "/a /b ");
	free(table);
}

Test(config, auto_takes_options_and_defaults)
{
	make_file("mountinfo", "2 1 8:2 / /a rw - ext4 /dev/x rw,dax\n");
	cr_assert_str_eq(parse_env((struct config_env){
				.paths = "auto,mode=kernel",
				.defaults = "copy=off" }), "");
	cr_assert(config.nrules == 1);
	cr_assert(config.rules[0].mode == CONFIG_MODE_KERNEL);
	cr_assert(config.rules[0].copy == CONFIG_COPY_OFF);
	cr_assert(config.rules[0].automatic);
}

Test(config, written_rule_wins_over_auto_for_its_path)
{
	make_dir("a");
	make_dir("b");
	make_link("b", "link");
	make_file("mountinfo",
		  text("2 1 8:2 / %s/a rw - ext4 /dev/x rw,dax\n"
		       "3 1 8:3 / %s/b rw - ext4 /dev/y rw,dax\n", dir, dir));
	cr_assert_str_eq(parse(text("auto;%s/link,mode=off", dir)), "");
	cr_assert(config.nrules == 2);
	cr_assert(config_match(&config, in_dir("b/f"))->mode ==
		  CONFIG_MODE_OFF);
	cr_assert(config_match(&config, in_dir("a/f"))->automatic);
}

Test(config, unset_paths_is_auto)
{
	make_file("mountinfo", "2 1 8:2 / /a rw - ext4 /dev/x rw,dax\n");
	cr_assert_str_eq(parse_env((struct config_env){ 0 }), "");
	cr_assert_str_eq(all_paths(), "/a ");
}

Test(config, written_auto_without_a_mount_table_is_one_line)
{
	cr_assert_str_eq(parse("auto;/tmp"),
			 text("libpmemshim: PMEMSHIM_PATHS: auto: cannot read %s (No such file or directory); auto stands for no mount: msync of files there goes to the kernel\n",
			      mountinfo));
	cr_assert_str_eq(all_paths(), "/tmp ");
	make_dir("mountinfo");
	cr_assert_str_eq(parse("auto"),
			 text("libpmemshim: PMEMSHIM_PATHS: auto: cannot read %s (Is a directory); auto stands for no mount: msync of files there goes to the kernel\n",
			      mountinfo));
}

static int count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	cr_assert(d != NULL);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

Test(config, auto_leaves_no_descriptor_open)
{
	const int before = count_descriptors();

	make_sysfs();
	expect_auto("3 1 259:0 / /disk rw - ext4 /dev/pmem0 rw\n", "/disk ");
	cr_assert(count_descriptors() == before);
}

static void make_many_mounts(int n)
{
	char table[16384];
	size_t len = 0;
	int i;

	for (i = 0; i < n; i++)
		len += (size_t)sprintf(table + len,
				       "2 1 8:2 / /m%d rw - ext4 /dev/x rw,dax\n",
				       i);
	make_file("mountinfo", table);
}

Test(config, auto_fills_what_room_is_left)
{
	make_many_mounts(63);
	cr_assert_str_eq(parse("auto;/tmp"), "");
	cr_assert(config.nrules == 64);
	make_many_mounts(64);
	cr_assert_str_eq(parse("auto;/tmp"),
			 "libpmemshim: PMEMSHIM_PATHS: auto: more than 64 rules in all; the other DAX mounts are not used: msync of files there goes to the kernel\n");
	cr_assert(config.nrules == 64);
	make_many_mounts(65);
	cr_assert_str_eq(parse_env((struct config_env){ 0 }), "",
			 "nobody asked for it");
	cr_assert(config.nrules == 64);
}

/* PMEMSHIM_LOG and PMEMSHIM_STATS. */

Test(config, log_levels)
{
	static const char *const words[] = { "error", "warn", "info", "trace" };
	int i;

	for (i = 0; i < 4; i++) {
		cr_assert_str_eq(parse_env((struct config_env){
					.paths = "", .log = words[i] }), "");
		cr_assert((int)config.log == i);
		cr_assert((int)log_level() == i);
	}
	parse("");
	cr_assert(config.log == LOG_WARN && log_level() == LOG_WARN);
}

Test(config, bad_log_level_is_one_line_and_warn)
{
	cr_assert_str_eq(parse_env((struct config_env){ .paths = "",
							.log = "chatty" }),
			 "libpmemshim: PMEMSHIM_LOG: 'chatty' is unknown, accepted: error|warn|info|trace; warn is used\n");
	cr_assert(config.log == LOG_WARN);
	cr_assert_str_eq(parse_env((struct config_env){ .paths = "",
							.log = "" }),
			 "libpmemshim: PMEMSHIM_LOG: '' is empty, accepted: error|warn|info|trace; warn is used\n");
}

Test(config, log_level_error_hides_warnings_but_not_a_broken_list)
{
	cr_assert_str_eq(parse_env((struct config_env){
				.paths = in_dir("missing"), .log = "error",
				.stats = "" }), "");
	cr_assert(config.nrules == 1);
	cr_assert(strlen(parse_env((struct config_env){
				.paths = "/,x=y", .log = "error" })) > 0);
}

Test(config, a_seed_is_any_number_of_64_bits)
{
	parse_env((struct config_env){ .paths = "" });
	cr_assert_not(config.seeded);
	parse_env((struct config_env){ .paths = "", .seed = "0" });
	cr_assert(config.seeded && config.seed == 0);
	parse_env((struct config_env){ .paths = "",
				       .seed = "18446744073709551615" });
	cr_assert(config.seeded && config.seed == UINT64_MAX);
}

Test(config, a_bad_seed_is_one_line_and_a_random_one)
{
	cr_assert_str_eq(parse_env((struct config_env){
				.paths = "", .seed = "18446744073709551616" }),
			 "libpmemshim: PMEMSHIM_SEED: '18446744073709551616' is too large, accepted: NUMBER; a random one is used\n");
	cr_assert_not(config.seeded);
	cr_assert_str_eq(parse_env((struct config_env){
				.paths = "", .seed = "x" }),
			 "libpmemshim: PMEMSHIM_SEED: 'x' is not a number, accepted: NUMBER; a random one is used\n");
}

Test(config, stats_are_off_when_unset)
{
	parse("");
	cr_assert_null(config.stats);
}

Test(config, stats_name_is_made_absolute)
{
	cr_assert(chdir(dir) == 0);
	cr_assert_str_eq(parse_env((struct config_env){ .paths = "",
							.stats = "s.%p" }), "");
	cr_assert_str_eq(config.stats, in_dir("s.%p"));
	parse_env((struct config_env){ .paths = "", .stats = "/x/%p.txt" });
	cr_assert_str_eq(config.stats, "/x/%p.txt");
	cr_assert(chdir("/") == 0);
	parse_env((struct config_env){ .paths = "", .stats = "s" });
	cr_assert_str_eq(config.stats, "/s");
}

Test(config, stats_name_that_is_empty_or_too_long_is_one_line_and_off)
{
	char name[5001];

	cr_assert_str_eq(parse_env((struct config_env){ .paths = "",
							.stats = "" }),
			 "libpmemshim: PMEMSHIM_STATS: '' is empty, accepted: a file or directory name of 1 to 4095 bytes; statistics are off\n");
	cr_assert_null(config.stats);
	memset(name, '/', 5000);
	name[4096] = '\0';
	cr_assert_str_eq(parse_env((struct config_env){ .paths = "",
							.stats = name }),
			 text("libpmemshim: PMEMSHIM_STATS: '%.80s...' is too long, accepted: a file or directory name of 1 to 4095 bytes; statistics are off\n",
			      name));
	cr_assert_null(config.stats);
	name[4095] = '\0';
	cr_assert_str_eq(parse_env((struct config_env){ .paths = "",
							.stats = name }), "");
	cr_assert_str_eq(config.stats, name);
	name[0] = 'x';
	parse_env((struct config_env){ .paths = "", .stats = name });
	cr_assert_null(config.stats, "with the directory it is too long");
}

Test(config, stats_name_relative_to_a_removed_directory_is_one_line_and_off)
{
	make_dir("gone");
	cr_assert(chdir(in_dir("gone")) == 0 && rmdir(in_dir("gone")) == 0);
	cr_assert_str_eq(parse_env((struct config_env){ .paths = "",
							.stats = "s" }),
			 "libpmemshim: PMEMSHIM_STATS: 's' is relative to a directory without a name, accepted: a file or directory name of 1 to 4095 bytes; statistics are off\n");
	cr_assert_null(config.stats);
}

/* The real environment. */

static const char *load(void)
{
	const int was = capture();

	config_load(&config);
	return captured(was);
}

Test(config, load_reads_the_environment)
{
	setenv("PMEMSHIM_PATHS", "/tmp", 1);
	setenv("PMEMSHIM_DEFAULTS", "mode=kernel", 1);
	setenv("PMEMSHIM_STATS", "/s", 1);
	setenv("PMEMSHIM_LOG", "info", 1);
	cr_assert_str_eq(load(), "");
	cr_assert(config.nrules == 1);
	cr_assert(config.rules[0].mode == CONFIG_MODE_KERNEL);
	cr_assert_str_eq(config.stats, "/s");
	cr_assert(config.log == LOG_INFO);
}

Test(config, load_of_an_empty_environment_is_silent)
{
	clearenv();
	cr_assert_str_eq(load(), "");
}

Test(config, unknown_variable_is_one_line)
{
	setenv("PMEMSHIM_PATHS", "", 1);
	setenv("PMEMSHIM_PATH", "/mnt", 1);
	setenv("PMEMSHIM_TEST_DAX", "/mnt", 1);
	setenv("PMEMSHIMX", "/mnt", 1);
	cr_assert_str_eq(load(),
			 "libpmemshim: PMEMSHIM_PATH: unknown variable, accepted: PMEMSHIM_PATHS, PMEMSHIM_DEFAULTS, PMEMSHIM_STATS, PMEMSHIM_SEED, PMEMSHIM_DEEPBIND, PMEMSHIM_LOG; it is ignored\n");
	unsetenv("PMEMSHIM_PATH");
	cr_assert_str_eq(load(), "");
}

Test(config, secure_program_has_no_rule_whatever_is_set)
{
	struct config_env env;

	make_file("mountinfo", "2 1 8:2 / /a rw - ext4 /dev/x rw,dax\n");
	setenv("PMEMSHIM_PATHS", "auto;broken", 1);
	setenv("PMEMSHIM_DEFAULTS", "broken", 1);
	setenv("PMEMSHIM_STATS", "/s", 1);
	setenv("PMEMSHIM_LOG", "trace", 1);
	config_read_env(&env, true);
	cr_assert_str_eq(parse_env(env), "");
	cr_assert(config.nrules == 0);
	cr_assert_null(config.stats);
	cr_assert(config.log == LOG_WARN);
	clearenv();
	config_read_env(&env, true);
	cr_assert_str_eq(parse_env(env), "");
	cr_assert(config.nrules == 0, "not even auto");
	config_read_env(&env, false);
	cr_assert_str_eq(parse_env(env), "");
	cr_assert(config.nrules == 1);
}

/* Matching. */

static const char *match(const char *path)
{
	const struct config_rule *rule = config_match(&config, path);

	return rule ? rule->path : "none";
}

/* Rules for paths that need not exist. */
static void match_among(const char *paths)
{
	parse_env((struct config_env){ .paths = paths, .log = "error" });
	cr_assert(config.nrules > 0);
}

Test(config, match_is_by_whole_components)
{
	match_among("/pmx/pmem");
	cr_assert_str_eq(match("/pmx/pmem"), "/pmx/pmem");
	cr_assert_str_eq(match("/pmx/pmem/f"), "/pmx/pmem");
	cr_assert_str_eq(match("/pmx/pmem/d/f"), "/pmx/pmem");
	cr_assert_str_eq(match("/pmx/pmem2"), "none");
	cr_assert_str_eq(match("/pmx/pmem2/f"), "none");
	cr_assert_str_eq(match("/pmx/pme"), "none");
	cr_assert_str_eq(match("/pmx"), "none");
	cr_assert_str_eq(match("/"), "none");
	cr_assert_str_eq(match("/x/pmx/pmem/f"), "none");
}

Test(config, longest_prefix_wins_in_any_order)
{
	static const char *const lists[] = {
		"/pmx/pmem;/pmx/pmem2;/pmx/pmem/db;/pmx/pmem/db/log",
		"/pmx/pmem/db/log;/pmx/pmem/db;/pmx/pmem2;/pmx/pmem"
	};
	int i;

	for (i = 0; i < 2; i++) {
		match_among(lists[i]);
		cr_assert_str_eq(match("/pmx/pmem/f"), "/pmx/pmem");
		cr_assert_str_eq(match("/pmx/pmem/db"), "/pmx/pmem/db");
		cr_assert_str_eq(match("/pmx/pmem/db/f"), "/pmx/pmem/db");
		cr_assert_str_eq(match("/pmx/pmem/db2/f"), "/pmx/pmem");
		cr_assert_str_eq(match("/pmx/pmem/db/log/0"),
				 "/pmx/pmem/db/log");
		cr_assert_str_eq(match("/pmx/pmem/db/logs"), "/pmx/pmem/db");
		cr_assert_str_eq(match("/pmx/pmem2/f"), "/pmx/pmem2");
	}
}

Test(config, root_rule_matches_what_no_other_does)
{
	match_among("/;/pmx/pmem");
	cr_assert_str_eq(match("/"), "");
	cr_assert_str_eq(match("/f"), "");
	cr_assert_str_eq(match("/pmx/pmem2"), "");
	cr_assert_str_eq(match("/pmx/pmem/f"), "/pmx/pmem");
}

Test(config, no_rule_matches_nothing)
{
	parse("");
	cr_assert_null(config_match(&config, "/f"));
}

/* Random lists. */

static uint64_t seed;

static unsigned int roll(unsigned int sides)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned int)(seed >> 33) % sides;
}

/* Pieces that make most lists nearly right. */
static const char *const pieces[] = {
	"/", "/tmp", "/no", "/..", "auto", ";", ",", ";", ",", "\\", "\\;",
	"\\\\", "mode=", "flush", "off", "ab", "copy=nt", "copy_min=", "4K",
	"kernel_above=never", "refresh=", "0", "1s", "999999999999999999999",
	"verify=no", "assume_pmem=yes", "=", " ", "\n", "\xff", "%s%n", "a"
};

static void random_text(char *out, size_t size)
{
	const unsigned int n = roll(24);
	const char *piece;
	unsigned int i;

	out[0] = '\0';
	for (i = 0; i < n; i++) {
		piece = pieces[roll(sizeof(pieces) / sizeof(pieces[0]))];
		if (strlen(out) + strlen(piece) + 2 > size)
			return;
		if (roll(20) == 0)
			strcat(out, (const char[]){ (char)(1 + roll(255)), 0 });
		strcat(out, piece);
	}
}

static void check_rule(size_t i)
{
	const struct config_rule *rule = &config.rules[i];
	const size_t len = strlen(rule->path);
	size_t j;

	cr_assert(len == rule->path_len);
	cr_assert(len == 0 || (rule->path[0] == '/' &&
			       rule->path[len - 1] != '/'));
	cr_assert_null(strstr(rule->path, "//"));
	cr_assert(rule->mode <= CONFIG_MODE_OFF);
	cr_assert(rule->flush <= CONFIG_FLUSH_NONE);
	cr_assert(rule->copy <= CONFIG_COPY_OFF);
	cr_assert(rule->map_sync <= CONFIG_MAP_SYNC_REQUIRE);
	cr_assert(rule->copy_min >= 1 && rule->copy_min <= UINT64_C(1) << 50);
	cr_assert(!rule->assume_pmem || config.any_assume_pmem);
	for (j = 0; j < i; j++)
		cr_assert_str_neq(rule->path, config.rules[j].path);
}

Test(config, random_lists_leave_consistent_rules)
{
	char paths[1024];
	char defaults[1024];
	size_t used = 0;
	int round;
	size_t i;

	make_file("mountinfo", "2 1 8:2 / /a rw - ext4 /dev/x rw,dax\n");
	for (round = 0; round < 20000; round++) {
		seed = (uint64_t)round;
		random_text(paths, sizeof(paths));
		random_text(defaults, sizeof(defaults));
		parse_env((struct config_env){
			.paths = paths,
			.defaults = roll(4) ? NULL : defaults });
		cr_assert(config.nrules <= CONFIG_RULES_MAX, "%d", round);
		for (i = 0; i < config.nrules; i++)
			check_rule(i);
		used += config.nrules > 0;
	}
	cr_assert(used > 500, "only %zu of the lists had a meaning", used);
}

Test(config, random_mount_tables_do_no_harm)
{
	static const char *const words[] = {
		"1", "0", "8:2", "/", "/a", "rw", "-", "ext4", "dax",
		"dax=always", "rw,dax", "\\040", "\\", "x", "shared:1"
	};
	char table[512];
	int round;
	size_t i;
	int n;

	for (round = 0; round < 3000; round++) {
		seed = (uint64_t)round;
		table[0] = '\0';
		for (n = 0; n < 40; n++) {
			strcat(table, words[roll(15)]);
			strcat(table, roll(6) ? " " : "\n");
		}
		make_file("mountinfo", table);
		cr_assert_str_eq(parse("auto"), "");
		for (i = 0; i < config.nrules; i++)
			check_rule(i);
	}
}

/* Profiles. */

#define PROFILES	"config/profiles"

static void set_variable(struct config_env *env, const char *name,
			 const char *value)
{
#define VARIABLE(field, variable, ...) \
	if (!strcmp(name, variable)) { \
		cr_assert_null(env->field, "%s is set twice", name); \
		env->field = text("%s", value); \
		return; \
	}
#include "config/options.def"
	cr_assert(false, "unknown variable %s", name);
}

/*
 * The value of a line as systemd reads it (env-file.c): quotes go, within
 * single quotes and behind a backslash everything is as it stands.
 */
static const char *systemd_value(const char *p)
{
	char value[4096];
	char quote = '\0';
	size_t len = 0;

	for (; *p && *p != '\n'; p++) {
		if (quote == '\0' && (*p == '\'' || *p == '"'))
			quote = *p;
		else if (quote != '\0' && *p == quote)
			quote = '\0';
		else if (*p == '\\' && quote != '\'' && p[1])
			value[len++] = *++p;
		else
			value[len++] = *p;
	}
	cr_assert(quote == '\0', "a quote is not closed");
	value[len] = '\0';
	return text("%s", value);
}

static void read_as_systemd(const char *file, struct config_env *env)
{
	char line[4096];
	char *value;
	FILE *f = fopen(file, "r");

	cr_assert(f != NULL, "%s: run from the top of the tree", file);
	*env = (struct config_env){ 0 };
	while (fgets(line, sizeof(line), f)) {
		if (strchr("#;\n", line[0]))
			continue;
		value = strchr(line, '=');
		cr_assert(value != NULL, "%s: %s", file, line);
		*value++ = '\0';
		set_variable(env, line, systemd_value(value));
	}
	fclose(f);
}

static void read_as_shell(const char *file, struct config_env *env)
{
	FILE *f = popen(text("env -i sh -c 'set -a; . ./%s; /usr/bin/env -0'",
			     file), "r");
	char *entry = NULL;
	size_t size = 0;
	char *value;

	cr_assert(f != NULL);
	*env = (struct config_env){ 0 };
	while (getdelim(&entry, &size, '\0', f) > 0) {
		if (strncmp(entry, "PMEMSHIM_", 9))
			continue;
		value = strchr(entry, '=');
		*value++ = '\0';
		set_variable(env, entry, value);
	}
	free(entry);
	cr_assert(pclose(f) == 0, "%s: the shell complains", file);
}

static void check_same(const char *file, const char *a, const char *b)
{
	cr_assert((a == NULL) == (b == NULL), "%s", file);
	if (a)
		cr_assert_str_eq(a, b, "%s", file);
}

static void read_profile(const char *name)
{
	const char *file = text(PROFILES "/%s", name);
	struct config_env systemd;
	struct config_env shell;

	read_as_systemd(file, &systemd);
	read_as_shell(file, &shell);
#define VARIABLE(field, ...) check_same(file, systemd.field, shell.field);
#include "config/options.def"
	make_file("mountinfo", "2 1 8:2 / /a rw - ext4 /dev/x rw,dax\n");
	cr_assert_str_eq(parse_env(systemd), "", "%s", file);
	cr_assert(config.nrules == 1);
}

Test(config, profile_database_is_the_default_written_out)
{
	struct config_rule profile;

	read_profile("database.env");
	profile = config.rules[0];
	cr_assert_null(config.stats);
	parse("auto");
	cr_assert(profile.mode == config.rules[0].mode);
	cr_assert(profile.verify == config.rules[0].verify);
	cr_assert(profile.refresh == config.rules[0].refresh);
	cr_assert(profile.map_sync == config.rules[0].map_sync);
	cr_assert(profile.kernel_above == config.rules[0].kernel_above);
}

Test(config, profile_measure_kernel_is_arm_a_with_statistics)
{
	read_profile("measure-kernel.env");
	cr_assert(config.rules[0].mode == CONFIG_MODE_KERNEL);
	cr_assert_str_eq(config.stats, "/var/tmp/pmemshim-kernel.%p");
	cr_assert(config.log == LOG_INFO);
}

/* Spelling. */

Test(config, a_spelled_rule_is_read_as_the_same_rule)
{
	static const char *const rules[] = {
		"/", "/,mode=ab,block=3,flush=none,copy=off,copy_min=3K",
		"/,kernel_above=never,refresh=0,verify=no,dirty=track",
		"/,kernel_above=5M,refresh=7ms,map_sync=require,mode=off",
		"/,assume_pmem=yes,mode=kernel,copy_min=1125899906842624",
	};
	char spelled[1024];
	struct config_rule before;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		before = *only_rule(rules[i]);
		config_spell(&before, spelled, sizeof(spelled));
		only_rule(text("/,%s", spelled));
#define KEY(field, ...) cr_assert(config.rules[0].field == before.field, #field);
#include "config/options.def"
	}
	cr_assert_str_eq(spelled, "mode=kernel,flush=auto,copy=auto,copy_min=1125899906842624,kernel_above=auto,pages=auto,map_sync=prefer,verify=yes,refresh=1000000us,block=16,dirty=off,assume_pmem=yes");
}

Test(config, a_spelled_rule_is_cut_between_keys)
{
	char spelled[32];

	config_spell(only_rule("/"), spelled, sizeof(spelled));
	cr_assert_str_eq(spelled, "mode=auto,flush=auto,copy=auto");
}
