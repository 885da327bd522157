#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# MS_INVALIDATE costs nothing until memory was locked; then it is asked of the kernel, whatever locked it.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc sync_locked sync_locked.c
for how in mlock mlock2 mlockall map_locked; do
	t_judge sync_locked $how -- first=1 persisted=4 nothing=1 locked=4
	# mlock does nothing for real DAX.
	t_real || [ "$(grep -c 'errno 16$' "$T_WORK/shim.out")" = 2 ] || t_fail "$how: EBUSY was never seen"
done
t_judge sync_locked none -- first=1 persisted=7 nothing=2
