#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# dirty=track: a sync inside another one flushes the whole range, and tracking goes on after it.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc dirty_signal dirty_signal.c
T_KEYS=refresh=0,kernel_above=never,dirty=track
T_TRACE=''
t_judge dirty_signal -- first=1 persisted=any commit=any
[ "$(t_count 'mappings not tracked: the kernel')" = 0 ] ||
	t_skip 'no PAGEMAP_SCAN with asynchronous write protection (Linux 6.7)'
persisted=$(t_count 'msync persisted')
tracked=$(t_count 'of those persisted, by the dirty pages')
within=$(t_count 'of those persisted, the whole range: within')
((persisted == tracked + within && tracked > 400)) ||
	t_fail "$persisted persisted, $tracked by the dirty pages, $within within another"
