#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A program under a seccomp filter that refuses what the shim calls works as without the shim; one that installs a filter that kills is not killed for our calls.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc host_seccomp host_seccomp.c
T_TRACE=''
number() { echo "SYS_$1" | "$CC" -include sys/syscall.h -E -P -x c - | tail -n 1; }
# All that the shim calls for itself and that is not the call that it serves.
ours=()
for call in fstat statx readlinkat getdents64 openat close read write fcntl ioctl membarrier clock_gettime \
	prlimit64 rt_sigprocmask rt_sigtimedwait rt_sigpending madvise newfstatat getcwd readlink lstat getpid sched_yield; do
	ours+=("$call $(number $call)")
done
# Refused from the start: by "not permitted" and "not there". The loader and
# libc need some of them themselves; those end bare and are left out.
run() { # WHO ERRNO NUMBER...
	local who=$1
	shift
	rm -rf "$T_FILES" && mkdir -p "$T_FILES"
	# The output is judged, not the words on stderr: it may be closed to us.
	PMEMSHIM_PATHS="$([ "$who" = bare ] || t_rule)" \
		T_PRELOADED="$([ "$who" = bare ] || echo "$T_SO")" \
		"$T_BIN/host_seccomp" "$T_BIN/host_seccomp" "$@" >"$T_WORK/$who.out" 2>"$T_WORK/$who.err"
	echo $? >"$T_WORK/$who.status"
}
# The filter is on when the shim starts, and stays out of its way where it may.
mkdir "$T_WORK/stats"
PMEMSHIM_STATS=$T_WORK/stats run shim 1 999
t_stats >"$T_WORK/shim.stats"
[ "$(t_count 'msync persisted')" -ge 3 ] || t_fail "the shim was not there"
errors=(1 38)
actions=(kill trap)
# Minutes in an emulated machine, where the answers are the same.
if t_real; then errors=(1) actions=(kill); fi
refused=0
for error in "${errors[@]}"; do
	for pair in "${ours[@]}"; do
		run bare "$error" "${pair#* }"
		[ "$(cat "$T_WORK/bare.status")" = 0 ] || continue
		run shim "$error" "${pair#* }"
		t_same out status
		refused=$((refused + 1))
	done
done
[ $refused -ge $((12 * ${#errors[@]})) ] || t_fail "only $refused filters were tried"
# Installed by the program itself, and deadly.
for action in "${actions[@]}"; do
	killed=0
	for pair in "${ours[@]}"; do
		t_run bare "$T_BIN/host_seccomp" self "$action" "${pair#* }"
		[ "$(cat "$T_WORK/bare.status")" = 0 ] || continue
		t_run shim "$T_BIN/host_seccomp" self "$action" "${pair#* }"
		t_same out err status
		killed=$((killed + 1))
		[ "$(t_count 'msync persisted')" = 1 ] || t_fail "the statistics up to the filter are not there: $(cat "$T_WORK/shim.stats")"
	done
	[ $killed -ge 12 ] || t_fail "only $killed filters were tried"
done
