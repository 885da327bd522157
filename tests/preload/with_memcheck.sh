#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Other tests' programs under valgrind memcheck: as bare, no error, and nothing lost that bare is not.
. "$T_ROOT/tests/support/t_preload.sh"
t_need valgrind valgrind
T_TRACE=''
T_KEYS=refresh=0,copy_min=64
check=(valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite)
programs=(sync_first sync_truncate sync_write follow_remap follow_unmap map_flags copy_sizes)
# Minutes in an emulated machine, where other tests run all of them.
if t_real; then programs=(sync_first follow_remap); fi
for program in "${programs[@]}"; do
	t_cc "$program" "$program.c"
	t_run bare "${check[@]}" "$T_BIN/$program"
	t_run shim "${check[@]}" "$T_BIN/$program"
	t_same out err status
	[ "$(cat "$T_WORK/shim.status")" != 9 ] || t_fail "$program: $(head -n 1 "$T_WORK/shim.err")"
	[ "$(t_count 'mappings')" -ge 1 ] || t_fail "$program: the shim tracked nothing"
done
