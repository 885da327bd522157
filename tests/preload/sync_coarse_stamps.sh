#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# On a file system with time stamps of a second (ext4, 128-byte inodes) a write(2) in the same second is still committed.
. "$T_ROOT/tests/support/t_preload.sh"
t_only_tmpfs "a loop device stands in for the medium"
t_need mkfs.ext4 e2fsprogs
t_cc sync_coarse_stamps sync_coarse_stamps.c
truncate -s 64M "$T_WORK/image"
mkfs.ext4 -q -F -I 128 "$T_WORK/image" || t_fail "mkfs.ext4"
mkdir "$T_WORK/mnt"
mount -o loop "$T_WORK/image" "$T_WORK/mnt" 2>"$T_WORK/why" || t_skip "no loop mount: $(cat "$T_WORK/why")"
trap 'umount "$T_WORK/mnt"' EXIT
T_FILES=$T_WORK/mnt/files
export T_FILES
t_run shim "$T_BIN/sync_coarse_stamps"
[ "$(cat "$T_WORK/shim.status")" = 0 ] || t_fail "$(cat "$T_WORK/shim.err")"
# first call; one commit at least after the write
[ "$(t_straced msync shim)" -ge 2 ] || t_fail "the write was not committed: $(t_straced msync shim) msync in all"
