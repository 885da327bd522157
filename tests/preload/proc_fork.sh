#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# fork while other threads map and sync: no child hangs, each child's msync and mapping work.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc proc_fork proc_fork.c
T_TRACE=''
t_judge proc_fork
[ "$(t_count 'msync persisted')" -ge 100 ] || t_fail "only $(t_count 'msync persisted') calls persisted"
# A child forked in the middle of a change of the registry is the kernel's, and keeps none.
n=$(grep -c '^libpmemshim: process' "$T_WORK/shim.stats")
((n > 100 && n <= 201)) || t_fail "$n processes have statistics"
grep -v ': ended$' "$T_WORK/shim.stats" | grep '^libpmemshim: process' && t_fail 'not every child ended them'
exit 0
