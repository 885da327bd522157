#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# qdbm: a short-lived process for every change.
# pkg: qdbm-util
# does: whole-map syncs at close; many processes with a mapping each
# files: *.db
# calls: same
# fewer: no: the only sync of a mapping is its first one
set -eu -o pipefail

if [ "${1-}" != check ]; then
	for i in {1..400}; do printf 'key%d\tvalue %d\n' "$i" $((i * i)); done >in
	$P dptsv import hash.db <in
	$P vltsv import tree.db <in
	for i in {1..4}; do $P dpmgr out hash.db "key$i"; done
	$P dpmgr optimize hash.db
fi
dptsv export hash.db | grep ^key | LC_ALL=C sort >hash.tsv
vltsv export tree.db | grep ^key | LC_ALL=C sort >tree.tsv
sed 1,4d in | LC_ALL=C sort | cmp - hash.tsv
LC_ALL=C sort in | cmp - tree.tsv
echo '396 and 400 rows'
