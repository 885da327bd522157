#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A data file opened as descriptor 2, 1 or 0 receives nothing from the shim, at any log level.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc fd_low fd_low.c
T_TRACE=''
for number in 0 1 2; do
	for level in warn trace; do
		export PMEMSHIM_LOG=$level
		t_run bare "$T_BIN/fd_low" $number
		cp "$T_FILES/data" "$T_WORK/data.bare"
		t_run shim "$T_BIN/fd_low" $number
		cmp "$T_WORK/data.bare" "$T_FILES/data" || t_fail "as descriptor $number the file was changed (log level $level)"
		[ "$(t_count 'msync persisted')" -ge 1 ] || t_fail "nothing was tracked"
		t_same status
	done
done
# stderr closed from the start, a file under a rule opened there, and a warning due.
unset PMEMSHIM_LOG
# shellcheck disable=SC2016  # the shell that is run expands it
t_run shim bash -c 'exec 2>&-; exec "$0" 2' "$T_BIN/fd_low"
cmp "$T_WORK/data.bare" "$T_FILES/data" || t_fail "with stderr closed at start the file was changed"
