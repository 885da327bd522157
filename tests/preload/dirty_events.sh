#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# dirty=track: only dirty pages are flushed, and after each event that hides stores from the kernel the whole range.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc dirty_events dirty_events.c
T_KEYS=refresh=0,kernel_above=never,dirty=track
# judge EVENT TRACKED PAGES: so many syncs by the dirty pages alone, so many pages flushed.
judge() {
	t_judge dirty_events "$1" -- first=1 persisted=any commit=any
	[ "$(t_count 'mappings not tracked: the kernel')" = 0 ] ||
		t_skip 'no PAGEMAP_SCAN with asynchronous write protection (Linux 6.7)'
	local tracked flushed
	tracked=$(t_count 'of those persisted, by the dirty pages')
	flushed=$(($(t_count 'bytes flushed') / 4096))
	[ "$tracked/$flushed" = "$2/$3" ] || {
		cat "$T_WORK/shim.stats"
		t_fail "$1: $tracked tracked, $flushed pages flushed; expected $2 and $3"
	}
}
# The first of the six syncs flushes all 100 pages, and protects them.
judge none 6 105
judge write 6 105
judge read 6 106
judge vfork 6 106
judge thread 1 600
for event in fork second remap advise truncate allocate; do
	judge $event 1 600
done
