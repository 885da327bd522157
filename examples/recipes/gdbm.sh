#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# GNU dbm on persistent memory (Debian: gdbmtool). It syncs its whole mapping
# whenever its cache runs over, always with MS_INVALIDATE, which the shim
# answers itself as long as the program never locked memory.
#
#	PMEMSHIM=path/to/libpmemshim.so gdbm.sh DIR
set -eu

dir=${1:?usage: gdbm.sh DIR, a directory on a DAX mount}
preload=${PMEMSHIM:-libpmemshim.so}

{
	echo "set sync"
	echo "set cachesize=40"
	echo "open $dir/recipe.gdbm"
	i=0
	while [ $i -lt 2000 ]; do
		echo "store key$i value$i"
		i=$((i + 1))
	done
	echo count
} >"$dir/recipe.commands"

LD_PRELOAD=$preload gdbmtool -n <"$dir/recipe.commands"
rm -f "$dir/recipe.gdbm" "$dir/recipe.commands"
