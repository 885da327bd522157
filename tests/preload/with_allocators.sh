#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# With tcmalloc or mimalloc preloaded beside it, in both orders, the program works, and is served where the shim comes first.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc with_host with_host.c
T_KEYS=refresh=0,kernel_above=never,copy_min=64
t_need nm binutils
# with NAME PACKAGE
with() {
	local lib
	lib=$("$CC" -print-file-name="$1")
	[ -f "$lib" ] || lib=$(ldconfig -p | awk -v name="$1" '$1 == name { print $NF; exit }')
	[ -f "$lib" ] || t_skip "no $1 (package $2)"
	for T_PRELOAD in "$T_SO:$lib" "$lib:$T_SO"; do
		T_BARE_PRELOAD=$lib
		# tcmalloc's own mmap makes the system call itself: before
		# the shim it hides every mapping from it.
		if [[ $T_PRELOAD == "$lib":* && $(nm -D "$lib" | grep -c ' T mmap$') != 0 ]]; then
			T_TRACE='' t_judge with_host
			continue
		fi
		t_judge with_host
		[ "$(t_count 'msync persisted')" -ge 3 ] || t_fail "$T_PRELOAD: the shim did nothing"
		[ "$(t_count "$(t_counter copies)")" -ge 2 ] || t_fail "$T_PRELOAD: no copy was ours"
	done
}
with libtcmalloc_minimal.so.4 libtcmalloc-minimal4
with libmimalloc.so.2 libmimalloc2.0
