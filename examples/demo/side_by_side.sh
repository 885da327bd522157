#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# One real program, without the shim and with it, in a directory on a DAX
# mount: kernel msyncs, what the shim did instead, and the bytes in the file.
#
#	side_by_side.sh DIR LIBRARY
#
# Leaves DIR/without/ledger, DIR/with/ledger and DIR/with/sha256, and ends in
# the line "ledger synced" as soon as the last msync has returned.
set -eu

dir=${1:?usage: side_by_side.sh DIR LIBRARY}
library=${2:?usage: side_by_side.sh DIR LIBRARY}
here=$(dirname "$(readlink -f "$0")")
counts=$(mktemp -d)

# run NAME [VARIABLE=VALUE...]: the program once, its msyncs counted.
run() {
	name=$1
	shift
	rm -rf "${dir:?}/$name"
	mkdir -p "$dir/$name"
	env "$@" strace -f -o "$counts/$name" -e trace=msync --seccomp-bpf \
		env ${library_for:+"LD_PRELOAD=$library_for"} \
		/usr/bin/python3 "$here/ledger.py" "$dir/$name/ledger" write |
		sed "s/^/$name the shim: /"
}

msyncs() { grep -c 'msync(' "$counts/$1" || true; }
sum() { sha256sum "$dir/$1/ledger" | cut -c 1-64; }

library_for=
run without
library_for=$library
# An emulated machine has no times to learn from, and strace makes others of them.
run with PMEMSHIM_STATS="$counts/statistics" PMEMSHIM_DEFAULTS=mode=flush

printf '\n%-28s %12s %12s\n' '' 'without' 'with'
printf '%-28s %12s %12s\n' 'msync system calls' \
	"$(msyncs without)" "$(msyncs with)"
printf '%-28s %12s %12s\n\n' 'sha256 of the file' \
	"$(sum without | cut -c 1-12)" "$(sum with | cut -c 1-12)"
echo 'what the shim says of itself:'
pmemshim=$(dirname "$library")/pmemshim
[ -x "$pmemshim" ] || pmemshim=pmemshim
"$pmemshim" stat "$counts/statistics"
[ "$(sum without)" = "$(sum with)" ] || {
	echo 'the two files DIFFER'
	exit 1
}
rm -r "$counts"
# By write(2) and fsync, so that the check itself does not depend on the shim.
sum with >"$dir/with/sha256"
sync "$dir/with/sha256"
echo 'ledger synced'
