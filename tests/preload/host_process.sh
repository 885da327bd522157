#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A host that changes root, drops every right, closes or uses up its descriptors, or lowers its address space goes on as without the shim.
. "$T_ROOT/tests/support/t_preload.sh"
[ "$(id -u)" = 0 ] || t_skip "needs root to change root and drop rights"
t_cc host_process host_process.c
T_KEYS+=,copy_min=64
T_FOREIGN=1	# the last one, of what is unmapped
# What is tracked stays served from user space unless its descriptor is gone;
# a new mapping is served where the shim can look at its file.
judge() { # HOW COUNTER=N...
	t_judge host_process "$1" -- commit=any "${@:2}"
	[ "$(cat "$T_WORK/shim.status")" = 3 ] || t_fail "$1: status $(cat "$T_WORK/shim.status")"
}
judge session first=2 persisted=3
judge wide first=2 persisted=3
judge closefrom first=2 persisted=2 lost=1
judge exhausted first=2 persisted=3
judge everything first=1 persisted=1 lost=1
# How much room there is for the shim is the kernel's to say: all that counts
# is that nothing else differs.
t_judge host_process narrow
chmod 777 "$T_DATA" "$T_WORK"
judge rights first=2 persisted=3
# There is no /proc there, so the new file has no name and is the kernel's.
t_run bare "$T_BIN/host_process" chroot
t_run shim "$T_BIN/host_process" chroot
t_same out err status
# first call and the new mapping's two, the hole's, and at most one commit, on
# real DAX two
[ "$(t_straced msync bare)" = 6 ] || t_fail "chroot: $(t_straced msync bare) msync bare"
[ "$(t_straced msync shim)" -le "$(t_real && echo 6 || echo 5)" ] || t_fail "chroot: $(t_straced msync shim) msync"
