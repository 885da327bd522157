#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What munmap took is forgotten: another file that comes to its place is synced by the kernel.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc follow_unmap follow_unmap.c
T_FOREIGN=2
for part in head middle tail; do
	t_judge follow_unmap $part -- first=1 persisted=1 partly=any
	[ "$(t_count "$(t_counter partly)")" = "$(grep -c 'whole, partly' "$T_WORK/shim.out")" ] ||
		t_fail "$part: partly is $(t_count "$(t_counter partly)")"
done
