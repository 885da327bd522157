#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A process or thread made by raw clone(2) that shares the memory syncs, maps and copies, and the registry is one.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc proc_clone proc_clone.c
for how in vfork memory thread; do
	t_judge proc_clone $how -- first=any persisted=any invalid=1 partly=1 access=1 changed=any commit=any
	[ "$(t_count 'msync persisted')" -ge 4 ] || t_fail "$how: only $(t_count 'msync persisted') calls persisted"
done
