#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# stress-mremap: stress-ng's verifying stress of mremap.
# pkg: stress-ng
# does: grows, shrinks and moves anonymous maps, beside a mapped file whose
#	pages must not be confused with them
# files: none
# calls: vary
# fewer: no: they are of anonymous memory
set -eu -o pipefail

if [ "${1-}" != check ]; then
	$P stress-ng --temp-path "$D" --verify --seed 42 --oomable --timeout 60 \
		--mremap 1 --mremap-ops 4 --mremap-bytes 1m \
		--mmap 1 --mmap-ops 3 --mmap-bytes 1m --mmap-file >log 2>&1 ||
		{ cat log; exit 1; }
	if grep -E 'prematurely|fail:' log; then exit 1; fi
	grep -o 'successful run completed' log
fi
