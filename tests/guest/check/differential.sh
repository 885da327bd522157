# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# differential[=quick]: the differential test on real DAX, T_DIFFER_STEPS (10000)
# random operations in all, or 3000, with the shim and without, compared after
# every one.

log=$T_OUT/differential.tests
options=(--steps "${T_DIFFER_STEPS:-10000}")
[ "$1" != quick ] || options=(--quick)

PMEMSHIM_TEST_DAX=$T_DIR BUILD=$T_BUILD \
	"${T_HERE%/guest}/differential/run" "${options[@]}" 2>&1 </dev/null | tee "$log" |
	while read -r word name why; do
		case $word in
		ok) t_ok "differential-${name%:}" ;;
		FAIL) t_bad "differential-${name%:}" "$why" ;;
		esac
	done
grep -q '^differential: [0-9]* passed' "$log" ||
	t_bad differential "no summary: $(tail -n 1 "$log")"
