#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A file cut or grown under a mapping is synced by the kernel once, and nothing behind its end is touched.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc sync_truncate sync_truncate.c
# What a file's blocks are after that is its file system's business.
if t_real; then
	t_judge sync_truncate -- first=1 changed=any persisted=any
else
	t_judge sync_truncate -- first=1 changed=6 commit=any persisted=7
fi
