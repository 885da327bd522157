#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# tdb: Samba's small database, in transactions.
# pkg: tdb-tools
# does: syncs of unaligned lengths beside fdatasync, a map that follows the
#	growing file, hundreds of fcntl locks on the mapped file
# files: t.tdb
# calls: same
# fewer: no: the fdatasync beside each sync takes write access from the pages, so
#	the next store moves ctime, and the shim has that committed
set -eu -o pipefail

if [ "${1-}" != check ]; then
	{
		echo 'create t.tdb'
		for i in {1..12}; do
			echo transaction_start
			for j in {1..8}; do
				printf 'store k%d.%d %0*d\n' "$i" "$j" $((i * 40)) "$j"
			done
			echo "delete k$i.8"
			echo transaction_commit
		done
		echo quit
	} | $P tdbtool >/dev/null
fi
tdbtool t.tdb check
test "$(tdbdump t.tdb | grep -c '^key')" = 84
tdbdump t.tdb | sort | sha256sum
