# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Every workload without the shim, then with it: what it says, its status, its
# system calls, the sums of its files and the shim's statistics are left in
# $T_OUT/workloads/NAME/WHO. tests/guest/suite judges them.

# The calls that tell threads from processes, what was granted, what synced.
trace=(strace -f -A -qq --seccomp-bpf -e signal=none
	-e 'trace=msync,mmap,clone,clone3,fork,vfork')

run_workload() {
	local name=$1 who=$2 results=$T_OUT/workloads/$1/$2 dir=$T_DIR/work/$2/$1
	local began=${EPOCHREALTIME/./} preload=()

	mkdir -p "$results/stats" "$dir"
	if [ "$who" = shim ]; then
		preload=(env "LD_PRELOAD=$T_SO" "PMEMSHIM_STATS=$results/stats")
	fi
	(
		cd "$dir" || exit
		export D=$dir P="${trace[*]} -o $results/trace ${preload[*]}"
		timeout 120 bash "$T_HERE/workloads/$name.sh"
	) >"$results/out" 2>"$results/err" </dev/null
	echo $? >"$results/status"
	(cd "$dir" && sum_files "$name") >"$results/sums"
	echo $(((${EPOCHREALTIME/./} - began) / 1000)) >"$results/ms"
}

# The files that the header promises to be the same every time.
sum_files() {
	local files

	files=$(t_header files "$T_HERE/workloads/$1.sh")
	# shellcheck disable=SC2086 # a list of patterns
	[ "$files" = none ] || sha256sum $files
}

for file in "$T_HERE"/workloads/*.sh; do
	name=$(basename "$file" .sh)
	if [ -n "${T_WORKLOADS-}" ] && [[ " $T_WORKLOADS " != *" $name "* ]]; then
		continue
	fi
	run_workload "$name" bare
	run_workload "$name" shim
done
