# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# pmemshim probe measures what it says it measures, on the temporary file
. "$T_ROOT/tests/support/t_cli.sh"
t_need strace strace

dir=$T_DATA/db
mkdir -p "$dir"
export PMEMSHIM_LOG=error
trace() {
	strace -f -e trace=msync,fsync,mmap,openat -y -o "$T_WORK/trace" "$T_CLI" probe "$@" \
		>"$T_WORK/out" 2>"$T_WORK/err"
}

# The msyncs reported are those that were made, and three before them.
PMEMSHIM_PATHS=$dir,assume_pmem=yes trace "$dir" || t_fail 'not status 0'
said=$(sed -n 's/.*msync 4 KiB .*(median of \([0-9]*\).*/\1/p' "$T_WORK/out")
made=$(grep -c 'msync(.*, 4096, MS_SYNC) = 0' "$T_WORK/trace")
[ "$made" = $((said + 3)) ] || t_fail "$said msyncs told, $made made"
[ "$said" -ge 11 ] || t_fail "only $said tries"
grep -q 'persist 4 KiB  .*(median of 1001' "$T_WORK/out" || t_fail 'no persist measured'

# Where a persist makes nothing durable, its cost is not told.
PMEMSHIM_PATHS=$dir trace "$dir"
t_says out 'persist 4 KiB  not measured: not durable here'
grep -q 'msync 4 KiB .*by the kernel (median of' "$T_WORK/out" || t_fail 'no msync measured'

# --no-cost: not one msync.
PMEMSHIM_PATHS=$dir,assume_pmem=yes trace --no-cost "$dir"
! grep -q 'msync(' "$T_WORK/trace" || t_fail '--no-cost measures'
t_not_says out '4 KiB  '

# A preloaded shim in the command itself neither changes the answer nor takes
# the msyncs away from the kernel.
PMEMSHIM_PATHS=$dir,assume_pmem=yes t_cli 0 probe --no-cost "$dir"
cp "$T_WORK/out" "$T_WORK/alone"
PMEMSHIM_PATHS=$dir,assume_pmem=yes LD_PRELOAD=$T_SO t_cli 0 probe --no-cost "$dir"
cmp "$T_WORK/out" "$T_WORK/alone" || t_fail 'another answer under the shim'
PMEMSHIM_PATHS=$dir,assume_pmem=yes strace -f -e trace=msync -E "LD_PRELOAD=$T_SO" \
	-o "$T_WORK/trace" "$T_CLI" probe "$dir" >"$T_WORK/out" 2>"$T_WORK/err"
said=$(sed -n 's/.*msync 4 KiB .*(median of \([0-9]*\).*/\1/p' "$T_WORK/out")
[ "$(grep -c 'MS_SYNC) = 0' "$T_WORK/trace")" = $((said + 3)) ] ||
	t_fail 'under the shim not every msync is the kernel'"'"'s'

# No descriptor to watch the file with: the shim would not track it either.
(ulimit -n 15; PMEMSHIM_PATHS=$dir,assume_pmem=yes t_cli 1 probe --no-cost "$dir") || exit 1
t_says out 'no descriptor to watch the file with (ulimit -n is 15)'
