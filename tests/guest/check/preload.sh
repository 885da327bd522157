# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# The preload tests, on real DAX instead of assume_pmem. Their programs were
# compiled on the host, which takes minutes here: CC only hands them out.

run=${T_HERE%/guest}/preload/run
log=$T_OUT/preload.tests

if [ ! -x "$run" ]; then
	t_skip preload 'tests/preload/run does not exist yet'
	exit
fi
PMEMSHIM_TEST_DAX=$T_DIR BUILD=$T_BUILD T_TIMEOUT=120 CC=$T_HERE/check/cc \
	"$run" -v -j "$(nproc)" 2>&1 </dev/null | tee "$log" | while read -r word name why; do
	case $word in
	ok) t_ok "preload-$name" ;;
	FAIL) t_bad "preload-${name%:}" "$why" ;;
	skip) t_skip "preload-${name%:}" "$why" ;;
	esac
done
grep -q '^preload: [0-9]* passed' "$log" ||
	t_bad preload "no summary: $(tail -n 1 "$log")"
