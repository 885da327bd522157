# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# The differential test on real DAX: T_DIFFER_STEPS random operations in all,
# with the shim and without, compared after every one.

log=$T_OUT/differential.tests

PMEMSHIM_TEST_DAX=$T_DIR BUILD=$T_BUILD T_DIFFER_STEPS=${T_DIFFER_STEPS:-10000} \
	"${T_HERE%/guest}/differential/run" 2>&1 </dev/null | tee "$log" |
	while read -r word name why; do
		case $word in
		ok) t_ok "differential-${name%:}" ;;
		FAIL) t_bad "differential-${name%:}" "$why" ;;
		esac
	done
grep -q '^differential: [0-9]* passed' "$log" ||
	t_bad differential "no summary: $(tail -n 1 "$log")"
