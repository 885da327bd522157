#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# stress-msync: stress-ng's verifying stress of msync.
# pkg: stress-ng
# does: a page stored to, synced and compared with what read(2) sees, over and
#	over; flags and ranges that the kernel refuses, by design
# files: none
# calls: same
# foreign: 40, one of each round where nothing is mapped
set -eu -o pipefail

if [ "${1-}" != check ]; then
	$P stress-ng --temp-path "$D" --verify --seed 42 --oomable --timeout 60 \
		--msync 1 --msync-ops 40 --msync-bytes 1m >log 2>&1 ||
		{ cat log; exit 1; }
	# It returns 0 although its child died.
	if grep -E 'prematurely|fail:' log; then exit 1; fi
	grep -o 'successful run completed' log
fi
