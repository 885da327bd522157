/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records of files: what one remembers is never taken for another's.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/file.h"
#include "shim/registry.h"

static struct registry_guard guard;

static int new_file(void)
{
	char name[] = "/dev/shm/pmemshim-unit-XXXXXX";
	int fd = mkstemp(name);

	cr_assert(fd >= 0 && unlink(name) == 0);
	cr_assert_eq(pwrite(fd, "x", 1, 4095), 1);
	return fd;
}

static struct file *get(int fd, bool writable)
{
	struct dax_info info;
	struct file *file;

	cr_assert_eq(dax_look(fd, &info), 0);
	registry_lock(&guard);
	file = file_get(fd, &info, writable);
	registry_unlock(&guard);
	cr_assert_not_null(file);
	return file;
}

static void put(struct file *file)
{
	registry_lock(&guard);
	file_put(file);
	registry_unlock(&guard);
}

Test(file, one_record_for_one_file)
{
	int fd = new_file(), other = new_file();
	struct file *a = get(fd, true), *b = get(fd, true), *c = get(other, true);

	cr_assert_eq(a, b);
	cr_assert_neq(a, c);
	put(a);
	put(b);
	put(c);
}

Test(file, what_was_remembered_is_the_same_until_it_changes)
{
	int fd = new_file();
	struct file *file = get(fd, true);
	struct file_look look;

	usleep(25000);
	file_look(file, &look);
	cr_assert_eq(look.verdict, FILE_CHANGED);
	cr_assert_eq(look.size, 4096);
	file_synced(file, &look);
	cr_assert_eq(file_synced_size(file), 4096);
	file_look(file, &look);
	cr_assert_eq(look.verdict, FILE_SAME);
	cr_assert_eq(ftruncate(fd, 8192), 0);
	file_look(file, &look);
	cr_assert_eq(look.verdict, FILE_CHANGED);
	put(file);
}

/* An msync that was overtaken remembers its look when the record has passed on. */
Test(file, a_late_look_does_not_fit_the_records_next_owner)
{
	int fd = new_file(), next = new_file();
	struct file *file = get(fd, true), *again;
	struct file_look late, look;

	file_look(file, &late);
	put(file);
	again = get(next, true);
	cr_assert_eq(again, file, "the record was not used again");
	file_synced(again, &late);
	file_look(again, &look);
	cr_assert_eq(look.verdict, FILE_CHANGED);
	put(again);
}

Test(file, without_a_writable_mapping_there_is_no_commit)
{
	int fd = new_file();
	struct file *file = get(fd, false);

	cr_assert_not(file_commit(file));
	cr_assert_eq(get(fd, true), file);
	cr_assert(file_commit(file));
	put(file);
	put(file);
}

Test(file, a_commit_page_that_is_gone_is_no_commit)
{
	struct file *file = get(new_file(), true);

	registry_lock(&guard);
	file_forget_pages(0, UINTPTR_MAX);
	registry_unlock(&guard);
	cr_assert_not(file_commit(file));
	cr_assert_not(file_page_within(0, UINTPTR_MAX));
	put(file);
}
