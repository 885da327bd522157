/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the shim believes of a file, from a sysfs made by the test.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "shim/dax.h"

static char sysfs[] = "/tmp/pmemshim-sysfs-XXXXXX";

static void run(const char *fmt, const char *argument)
{
	char command[1024], script[512];

	snprintf(script, sizeof(script), fmt, argument);
	snprintf(command, sizeof(command), "cd %s && { %s; }", sysfs, script);
	cr_assert_eq(system(command), 0, "%s", command);
}

static void make_sysfs(void)
{
	cr_assert_not_null(mkdtemp(sysfs));
	run("mkdir -p dev/block dev/char%s", "");
}

static void remove_sysfs(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", sysfs);
	cr_assert_eq(system(command), 0);
}

/* regionN with one pmem device, as kernel 6.1 lays it out. */
static void make_region(const char *region, const char *domain,
			const char *number)
{
	char script[512];

	snprintf(script, sizeof(script),
		 "r=devices/ndbus0/%s; mkdir -p $r/namespace0.0/block/pmem0/pmem0p1 && "
		 "ln -s ../../$r/namespace0.0/block/pmem0 dev/block/%s && %s",
		 region, number, *domain ? "echo %s >$r/persistence_domain"
					 : ":%s");
	run(script, domain);
}

static enum dax_domain domain_of(unsigned int major_, unsigned int minor_)
{
	const struct dax_info info = { .kind = DAX_FILE,
				       .dev = makedev(major_, minor_) };

	return dax_domain(-1, &info, sysfs);
}

TestSuite(dax, .init = make_sysfs, .fini = remove_sysfs);

Test(dax, the_domain_is_that_of_the_region_under_the_device)
{
	make_region("region0", "cpu_cache", "259:0");
	make_region("region1", "memory_controller", "259:1");
	make_region("region2", "", "259:2");
	make_region("region3", "unknown", "259:3");
	cr_assert_eq(domain_of(259, 0), DAX_DOMAIN_CACHE);
	cr_assert_eq(domain_of(259, 1), DAX_DOMAIN_MEMORY);
	cr_assert_eq(domain_of(259, 2), DAX_DOMAIN_UNTOLD);
	cr_assert_eq(domain_of(259, 3), DAX_DOMAIN_UNTOLD);
	cr_assert_eq(domain_of(259, 4), DAX_DOMAIN_UNTOLD);
}

Test(dax, a_partition_lies_in_the_region_of_its_disk)
{
	make_region("region0", "cpu_cache", "259:0");
	run("ln -s ../../devices/ndbus0/region0/namespace0.0/block/pmem0/pmem0p1 dev/block/259:7%s",
	    "");
	cr_assert_eq(domain_of(259, 7), DAX_DOMAIN_CACHE);
}

Test(dax, a_volume_is_as_weak_as_its_weakest_part)
{
	make_region("region0", "cpu_cache", "259:0");
	make_region("region1", "cpu_cache", "259:1");
	make_region("region2", "memory_controller", "259:2");
	run("mkdir -p devices/virtual/dm-0/slaves devices/virtual/dm-1/slaves; "
	    "ln -s ../../devices/virtual/dm-0 dev/block/253:0; "
	    "ln -s ../../devices/virtual/dm-1 dev/block/253:1; "
	    "for s in 0 1; do ln -s ../../../ndbus0/region$s/namespace0.0/block/pmem0 devices/virtual/dm-0/slaves/pmem$s; done; "
	    "for s in 0 2; do ln -s ../../../ndbus0/region$s/namespace0.0/block/pmem0 devices/virtual/dm-1/slaves/pmem$s; done%s",
	    "");
	cr_assert_eq(domain_of(253, 0), DAX_DOMAIN_CACHE);
	cr_assert_eq(domain_of(253, 1), DAX_DOMAIN_MEMORY);
}

Test(dax, a_volume_that_contains_itself_is_not_believed)
{
	run("mkdir -p devices/virtual/dm-0/slaves; "
	    "ln -s ../../devices/virtual/dm-0 dev/block/253:0; "
	    "ln -s ../../dm-0 devices/virtual/dm-0/slaves/dm-0%s", "");
	cr_assert_eq(domain_of(253, 0), DAX_DOMAIN_UNTOLD);
}

Test(dax, a_file_on_tmpfs_is_no_dax_file)
{
	struct dax_info info;
	struct stat st;
	int fd = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);

	cr_assert_eq(dax_look(fd, &info), 0);
	fstat(fd, &st);
	cr_assert_eq(info.kind, DAX_NONE);
	cr_assert(info.regular);
	cr_assert_eq(info.dev, st.st_dev);
	cr_assert_eq(info.ino, st.st_ino);
	cr_assert_eq(dax_probe(fd, 0), -EOPNOTSUPP);
}

Test(dax, a_character_device_is_no_device_dax)
{
	struct dax_info info;

	cr_assert_eq(dax_look(open("/dev/null", O_RDWR), &info), 0);
	cr_assert_eq(info.kind, DAX_NONE);
	cr_assert_not(info.regular);
}

Test(dax, no_descriptor_tells_nothing)
{
	struct dax_info info;

	cr_assert_eq(dax_look(4000, &info), -EBADF);
}

Test(dax, the_path_is_where_the_file_is_now)
{
	char path[4096];
	int fd;

	run("mkdir -p 'a (deleted)'; ln -s 'a (deleted)' b; : >b/f%s", "");
	snprintf(path, sizeof(path), "%s/b/../b/f", sysfs);
	fd = open(path, O_RDONLY);
	cr_assert_eq(dax_path(fd, path, sizeof(path)), 0);
	cr_assert_str_eq(path + strlen(sysfs), "/a (deleted)/f");
	run("rm b/f%s", "");
	cr_assert_eq(dax_path(fd, path, sizeof(path)), 0);
	cr_assert_str_eq(path + strlen(sysfs), "/a (deleted)/f");
	cr_assert_eq(dax_path(fd, path, 8), -ENAMETOOLONG);
}

Test(dax, a_file_called_deleted_keeps_its_name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/x (deleted)", sysfs);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	cr_assert_eq(dax_path(fd, path, sizeof(path)), 0);
	cr_assert_str_eq(path + strlen(sysfs), "/x (deleted)");
}
