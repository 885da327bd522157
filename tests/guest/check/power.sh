# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# power=make:NAME, then the cut, then power=verify:NAME without the shim.
# NAME is a workload, or "program", "refill", "write" for the kinds of cut.c.
# make prints the words at which the host cuts the power, at once after the
# last msync and the recording of sums, which only reads.

name=${1#*:}
dir=$T_DIR/power/$name
workload=$T_HERE/workloads/$name.sh

# Where the verification of the file is not asked for, data must be lost; else
# the cut is none, or something else commits for the shim. All that commits the
# journal is done before the write that is under test: that of the control
# waits, and comes last.
write_and_control() {
	local hold=/dev/shm/hold pid

	t_shim PMEMSHIM_DEFAULTS=mode=flush,verify=no,refresh=0 \
		"$T_BIN/cut" make write control $hold &
	pid=$!
	until [ -e $hold.ready ]; do sleep 0.05; done
	shimmed make write file || return
	: >$hold.go
	wait $pid
}

# With the shim, which must have done its part: files that change their size at
# every step are the kernel's, the others are persisted from user space.
shimmed() {
	local stats=/dev/shm/stats.$2 part='msync persisted'

	case $2 in hole | program) part='mappings granted' ;; esac

	mkdir -p "$stats"
	t_shim "PMEMSHIM_STATS=$stats" "$T_BIN/cut" "$@" || return
	[ "$(t_count "$stats" "$part")" -gt 0 ] || t_say "no $part"
}

make() {
	mkdir -p "$dir" "$T_OUT/power/$name" && cd "$dir" || return
	case $name in
	program)
		shimmed make hole hole && shimmed make program file ;;
	refill) shimmed make refill file ;;
	write) write_and_control ;;
	*)
		# shellcheck disable=SC2046 # a list of patterns
		D=$dir P="env LD_PRELOAD=$T_SO" bash "$workload" &&
			sha256sum $(t_header files "$workload") \
				>"$T_OUT/power/$name/sums" ;;
	esac >"$T_OUT/power/$name/out" 2>&1
	echo $? >"$T_OUT/power/$name/status"
	echo "cut the power now"
	sleep 600
}

has_sums() {
	[ -s "$1" ] || t_say "no sums were recorded before the cut"
	sha256sum -c --quiet --strict "$1"
}

verify_workload() {
	cd "$1" || return
	D=$1 P='' bash "$2" check
}

verify() {
	local status

	status=$(cat "$T_OUT/power/$name/status")
	if [ "$status" != 0 ]; then
		t_bad "power-$name" "before the cut: status $status," \
			"$(tail -n 1 "$T_OUT/power/$name/out")"
		return
	fi
	cd "$dir" 2>/dev/null || {
		t_bad "power-$name" "$dir is gone"
		return
	}
	case $name in
	program)
		t_verdict power-hole "$T_BIN/cut" verify hole hole
		t_verdict power-program "$T_BIN/cut" verify program file ;;
	refill) t_verdict power-refill "$T_BIN/cut" verify refill file ;;
	write)
		t_verdict power-write "$T_BIN/cut" verify write file
		t_verdict power-control lost "$T_BIN/cut" verify write control ;;
	*)
		t_verdict "power-$name-sums" has_sums "$T_OUT/power/$name/sums"
		t_verdict "power-$name-check" verify_workload "$dir" "$workload" ;;
	esac
}

lost() {
	local said

	said=$("$@" 2>&1) || return 0
	t_say "data that nobody committed survived ($said): the cut is none"
}

# What the workloads left behind before the first cut.
verify_all() {
	local file name

	for file in "$T_OUT"/workloads/*/shim/sums; do
		[ -s "$file" ] || continue
		name=${file%/shim/sums}
		name=${name##*/}
		cd "$T_DIR/work/shim/$name" || continue
		t_verdict "power-after-$name" has_sums "$file"
	done
}

case $1 in
make:*) make ;;
verify:all) verify_all ;;
verify:*) verify ;;
esac
