#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Python's mmap and numpy's memmap behave as without the shim, and are served.
. "$T_ROOT/tests/support/t_preload.sh"
t_need /usr/bin/python3 python3
what=()
/usr/bin/python3 -c 'import numpy' 2>/dev/null && what=(numpy)
[ ${#what[@]} -gt 0 ] || echo "without numpy (package python3-numpy)"
T_KEYS=refresh=0,kernel_above=never,copy_min=64
for who in bare shim; do t_run $who /usr/bin/python3 "$T_ROOT/tests/preload/with_python.py" "${what[@]}"; done
t_same out err status
[ "$(cat "$T_WORK/shim.status")" = 0 ] || t_fail "$(cat "$T_WORK/shim.err")"
t_account
[ "$(t_count 'msync persisted')" -ge $((4 + 2 * ${#what[@]})) ] || t_fail "only $(t_count 'msync persisted') were persisted"
[ "$(t_count "$(t_counter copies)")" -ge 3 ] || t_fail "no copy was ours"
