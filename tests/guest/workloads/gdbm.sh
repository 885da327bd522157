#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# gdbm: a hash file that syncs its whole map after every other change.
# pkg: gdbmtool
# does: 75 whole-map syncs with MS_SYNC|MS_INVALIDATE, over a map that is made
#	anew as the file grows; copies of every size into the map; flock
# files: *.db
# calls: same
set -eu -o pipefail

if [ "${1-}" != check ]; then
	{
		echo 'set cachesize=40'
		echo 'open words.db'
		for i in {1..150}; do
			printf 'store word%d %0*d\n' "$i" $((i * 7 % 190 + 10)) "$i"
			((i % 2)) || echo sync
		done
		for i in {1..150..3}; do echo "delete word$i"; done
		echo quit
	} >commands
	$P gdbmtool -n <commands
	# The dump's header has the time in it, so only the data is kept.
	$P gdbm_dump words.db - | $P gdbm_load - again.db
fi
for db in words again; do
	test "$(echo count | gdbmtool -r $db.db | tr -dc 0-9)" = 100
	for i in 2 75 149; do
		test "$(echo "fetch word$i" | gdbmtool -r $db.db)" = \
			"$(printf '%0*d' $((i * 7 % 190 + 10)) "$i")"
	done
done
echo '100 words in each'
