#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A file that the program itself shortens while another thread's msync flushes its end gives no signal.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc race_truncate race_truncate.c
T_TRACE=''
for how in ftruncate truncate collapse; do
	t_judge race_truncate $how
	# tmpfs cannot collapse a range
	if grep -q 'not here' "$T_WORK/shim.out" && [ $how = collapse ]; then continue; fi
	grep -q alive "$T_WORK/shim.out" || t_fail "$how: did nothing"
	[ "$(t_count 'msync persisted')" -ge 10 ] || t_fail "$how: nothing was persisted from user space"
done
