#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The library has USDT markers at map, sync and copy, with their arguments.
. "$T_ROOT/tests/support/t_preload.sh"
t_need readelf binutils
echo '#include <sys/sdt.h>' | "${CC:-gcc}" -E -x c - >/dev/null 2>&1 || t_skip 'no sys/sdt.h (package systemtap-sdt-dev)'
# NAME ARGUMENTS, one marker a line.
readelf -n "$T_SO" | awk '/Provider: / { provider = $2 } /Name: / { name = $2 }
	/Arguments:/ && provider == "pmemshim" { print name, NF - 1 }' | sort -u >"$T_WORK/markers"
printf 'copy 3\nmap 4\nsync 4\n' | diff - "$T_WORK/markers" || t_fail "markers: $(tr '\n' ' ' <"$T_WORK/markers")"
# Where a marker is there is a NOP, and nobody's semaphore is tested.
readelf -n "$T_SO" | sed -n '/Provider: pmemshim/,/Arguments/s/.*Location: \(0x[0-9a-f]*\),.*Semaphore: \(.*\)/\1 \2/p' >"$T_WORK/places"
[ "$(wc -l <"$T_WORK/places")" -ge 4 ] || t_fail 'no places'
while read -r at semaphore; do
	[ "$((semaphore))" = 0 ] || t_fail "a semaphore at $semaphore"
	t_need objdump binutils
	objdump -d --start-address="$at" --stop-address="$((at + 1))" "$T_SO" | grep -qw nop ||
		[ "$(uname -m)" != x86_64 ] || t_fail "no NOP at $at"
done <"$T_WORK/places"
