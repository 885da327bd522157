# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# pmemshim probe names the rule that decides, or says that there is none
. "$T_ROOT/tests/support/t_cli.sh"

dir=$T_DATA/db
mkdir -p "$dir/off"
echo data >"$dir/file"

# No variable: auto, and tmpfs is no DAX mount.
t_cli 1 probe --no-cost "$dir/file"
t_says out "$dir/file: left to the kernel: tmpfs has no DAX"
t_says out 'also           no rule: PMEMSHIM_PATHS is not set'
grep -qx '  rule           none' "$T_WORK/out" || t_fail 'a rule out of nothing'

# A rule that does not match; a list that is broken; an empty one.
PMEMSHIM_PATHS=$dir/other t_cli 1 probe --no-cost "$dir/file"
t_says out "no rule of PMEMSHIM_PATHS='$dir/other' matches"
t_says out "add '$dir/file' to PMEMSHIM_PATHS"
PMEMSHIM_PATHS=$dir,mode=fast t_cli 1 probe --no-cost "$dir/file"
t_says out "PMEMSHIM_PATHS='$dir,mode=fast' gives no rule at all"
t_says err "mode='fast'"
PMEMSHIM_PATHS='' t_cli 1 probe --no-cost "$dir/file"
t_says out 'gives no rule at all'

# Matching is by whole components.
PMEMSHIM_PATHS=${dir%b},assume_pmem=yes t_cli 1 probe --no-cost "$dir/file"
t_says out 'matches'

# A rule without assume_pmem: the kernel's word decides, not the rule's lack.
PMEMSHIM_PATHS=$dir t_cli 1 probe --no-cost "$dir/file"
t_says out "$dir/file: left to the kernel: tmpfs has no DAX"
t_says out "  rule           $dir, mode=flush"
t_not_says out 'no rule'

# assume_pmem: from user space, and loudly not durable.
PMEMSHIM_PATHS=$dir,assume_pmem=yes,flush=clflush,copy=cached,copy_min=4K \
	t_cli 0 probe --no-cost "$dir/file"
t_says out "$dir/file: persisted from user space, but not durable:"
t_says out 'NOTHING IS DURABLE'
t_says out "  rule           $dir, mode=flush, flush=clflush, copy=cached, copy_min=4096, assume_pmem=yes"
t_says out '  flush          clflush'
t_says out '  copies         cached, from 4 KiB'
t_not_says out 'if it were'

# Defaults are read as the shim reads them.
PMEMSHIM_PATHS=$dir PMEMSHIM_DEFAULTS=assume_pmem=yes,copy=off \
	t_cli 0 probe --no-cost "$dir/file"
t_says out '  copies         left to libc'

# off and kernel; the longest rule wins, for files that are not there yet, too.
export PMEMSHIM_PATHS="$dir,assume_pmem=yes;$dir/off,mode=off;$dir/new,mode=kernel,assume_pmem=yes;$dir/kept,assume_pmem=yes,copy=off"
touch "$dir/new"
t_cli 1 probe --no-cost "$dir/off"
t_says out "left to the kernel: the rule for $dir/off says mode=off"
t_cli 1 probe --no-cost "$dir/off/file"
t_says out "left to the kernel: the rule for $dir/off says mode=off"
t_cli 1 probe --no-cost "$dir/new"
t_says out "left to the kernel: the rule for $dir/new says mode=kernel"
rm "$dir/new"
t_cli 1 probe --no-cost "$dir/new"
t_says out "$dir/new: left to the kernel: the rule for $dir/new says mode=kernel"
t_says out "$dir/new (new file)"
t_cli 0 probe --no-cost "$dir/kept"
t_says out '  copies         left to libc'
t_cli 0 probe --no-cost "$dir/else" "$dir"
# One of several is enough for a 1.
t_cli 1 probe --no-cost "$dir/else" "$dir/off" "$dir"

# require: the program's mmap would fail, even under assume_pmem.
PMEMSHIM_PATHS=$dir,map_sync=require,assume_pmem=yes t_cli 1 probe --no-cost "$dir/file"
t_says out 'mmap fails (Operation not supported): map_sync=require, but tmpfs has no DAX'

# mode=ab counts as user space, in turns.
PMEMSHIM_PATHS=$dir,mode=ab,assume_pmem=yes t_cli 0 probe --no-cost "$dir/file"
t_says out '  rule           '"$dir, mode=ab, assume_pmem=yes"
