#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The main job, start to finish, on real DAX: an unmodified database without
# the shim and with it, then the power is cut and the data read again.
#
#	demo.sh [LIBRARY]	in an emulated machine with an NVDIMM
#	DAX=DIR demo.sh [LIBRARY]	in a directory on a DAX mount of this machine
#				(whose power stays on)
#	demo.sh --packages	the Debian packages that it needs
#	demo.sh --verify DIR	(its own second half) read the data again
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
top=$(readlink -f "$here/../..")

say() { printf '\n== %s\n' "$*"; }

natively() {
	local dir
	dir=$(mktemp -d -p "$DAX" pmemshim-demo.XXXXXX)
	# shellcheck disable=SC2064 # the name as it is now
	trap "rm -rf '$dir'" EXIT
	say "LMDB, 400 durable transactions, twice, in $dir"
	"$here/side_by_side.sh" "$dir" "$library"
	say "the file read again"
	verify "$dir"
}

verify() {
	local dir=$1 expected actual
	expected=$(cat "$dir/with/sha256")
	actual=$(sha256sum "$dir/with/ledger" | cut -c 1-64)
	echo "sha256 ${actual:0:12} (was ${expected:0:12})"
	[[ $expected == "$actual" ]]
	/usr/bin/python3 "$here/ledger.py" "$dir/with/ledger" check
}

in_guest() {
	local guest=$top/tests/guest/guest medium
	medium=$(mktemp "${TMPDIR:-/tmp}/pmemshim-demo.XXXXXX")
	rm "$medium"
	# shellcheck disable=SC2064 # the name as it is now
	trap "rm -f '$medium'" EXIT
	say "booting a machine with an NVDIMM (emulated: half a minute or so)"
	say "LMDB, 400 durable transactions, twice, on ext4-DAX"
	"$guest" --image "$medium" --kill-on 'ledger synced' \
		-- "$here/side_by_side.sh" /mnt/pmem "$library"
	say "power cut: no unmount, no sync. Booting again on the same medium"
	"$guest" --image "$medium" -- bash "$here/demo.sh" --verify /mnt/pmem
}

case ${1:-} in
--packages)
	echo python3-lmdb strace libelf-dev systemtap-sdt-dev
	exit
	;;
--verify)
	verify "$2"
	exit
	;;
esac
library=$(readlink -f "${1:-$top/build/libpmemshim.so}")
if [[ -n ${DAX:-} ]]; then
	natively
else
	in_guest
fi
say "done: same program, same bytes, durable, without the kernel's msync"
