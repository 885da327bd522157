#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# tokyo: Tokyo Cabinet's fixed-length, hash and B+ tree databases.
# pkg: tokyocabinet-bin
# does: page and whole-map syncs, ftruncate of the mapped file, copies into a
#	map of 64 MiB over a small file
# files: t.tc[fh]
# calls: same
# fewer: no: most of its syncs are the first ones of their mappings
set -eu -o pipefail

if [ "${1-}" != check ]; then
	# With some seeds tcftest fails by itself.
	export TCRNDSEED=42
	$P tcbtest wicked t.tcb 200 >log
	$P tcttest wicked t.tct 60 >>log
	$P tcftest wicked fixed.tcf 200 >>log
	grep -E '^(ok|error)' log
	$P tcfmgr create t.tcf 64
	$P tchmgr create t.tch 127
	for i in {1..6}; do
		$P tchmgr put t.tch "key$i" "value $i"
		$P tcfmgr put t.tcf "$i" "fixed $i"
	done
fi
tcbmgr inform t.tcb | grep 'additional flags'
tchmgr list -pv t.tch | LC_ALL=C sort
tcfmgr list -pv t.tcf
