# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# preload=I/N: every Nth of the preload tests from the Ith on, on real DAX instead
# of assume_pmem. Their programs were compiled on the host, which takes minutes
# here: CC only hands them out. Their seconds go to $T_OUT/seconds.

run=${T_HERE%/guest}/preload/run
log=$T_OUT/preload.tests
mapfile -t names < <("$run" --list |
	awk -v first="${1%/*}" -v step="${1#*/}" 'NR % step == first % step { print $1 }')

PMEMSHIM_TEST_DAX=$T_DIR BUILD=$T_BUILD T_TIMEOUT=300 CC=$T_HERE/check/cc \
	"$run" -v -j "$(nproc)" "${names[@]}" 2>&1 </dev/null | tee "$log" | while read -r word name why; do
	case $word in
	ok) t_ok "preload-$name" ;;
	FAIL) t_bad "preload-${name%:}" "$why" ;;
	skip) t_skip "preload-${name%:}" "$why" ;;
	*) continue ;;
	esac
	echo "$SECONDS $name" >>"$T_OUT/seconds"
done
grep -q '^preload: [0-9]* passed' "$log" ||
	t_bad preload "no summary: $(tail -n 1 "$log")"
