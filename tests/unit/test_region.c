/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Regions: what a value says, and that a value outlives its region harmlessly.
 */
#include <criterion/criterion.h>

#include "shim/region.h"
#include "shim/registry.h"

static const struct region_view view = {
	.delta = (uint64_t)-4096, .synced_at = 5, .policy = 200,
	.attributes = REGION_READABLE | REGION_DONTFORK,
};

Test(region, a_value_brings_back_what_it_was_made_of)
{
	struct region_view out;
	uint64_t value = region_new(&view);

	cr_assert_neq(value, 0);
	cr_assert_lt(value, REGISTRY_VALUE_LIMIT);
	cr_assert(region_read(value, &out));
	cr_assert_eq(out.delta, view.delta);
	cr_assert_eq(out.synced_at, 5);
	cr_assert_eq(out.policy, 200);
	cr_assert_eq(out.attributes, view.attributes);
	cr_assert_null(out.file);
}

Test(region, attributes_change_without_changing_the_region)
{
	struct region_view out;
	uint64_t value = region_new(&view);
	uint64_t other = region_with_attributes(value, REGION_WRITABLE);

	cr_assert_neq(value, other);
	cr_assert(region_read(other, &out));
	cr_assert_eq(out.attributes, REGION_WRITABLE);
	cr_assert_eq(out.policy, 200);
	cr_assert_eq(out.delta, view.delta);
}

Test(region, lives_while_any_page_has_its_value)
{
	uint64_t value = region_new(&view);

	region_add_pages(value, 3);
	region_remove_pages(value, 2);
	cr_assert(region_is_current(value));
	region_remove_pages(value, 1);
	cr_assert_not(region_is_current(value));
}

Test(region, an_old_value_does_not_fit_the_next_owner)
{
	struct region_view out;
	uint64_t old = region_new(&view), new;

	region_add_pages(old, 1);
	region_remove_pages(old, 1);
	new = region_new(&view);
	cr_assert_neq(old, new);
	cr_assert_not(region_read(old, &out));
	cr_assert(region_read(new, &out));
	region_synced(old, 99);
	region_read(new, &out);
	cr_assert_eq(out.synced_at, 5);
	region_synced(new, 99);
	region_read(new, &out);
	cr_assert_eq(out.synced_at, 99);
}

Test(region, a_hundred_thousand_are_told_apart)
{
	enum { COUNT = 100000 };
	static uint64_t values[COUNT];

	for (uint64_t i = 0; i < COUNT; i++) {
		struct region_view v = { .delta = i };

		values[i] = region_new(&v);
		region_add_pages(values[i], 1);
	}
	for (uint64_t i = 0; i < COUNT; i += 2)
		region_remove_pages(values[i], 1);
	for (uint64_t i = 0; i < COUNT; i++) {
		struct region_view v;

		cr_assert_eq(region_read(values[i], &v), i % 2);
		if (i % 2)
			cr_assert_eq(v.delta, i);
	}
}
