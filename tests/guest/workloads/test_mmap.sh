#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# test_mmap: CPython's own tests of its mmap module.
# pkg: libpython3.11-testsuite
# does: resizing by mremap, flushes with good and bad arguments, offsets,
#	read-only and private maps, anonymous ones
# files: none
# calls: same
# foreign: 2, of anonymous memory
# fewer: no: it checks answers, with a sync or two a mapping
set -eu -o pipefail

if [ "${1-}" != check ]; then
	export TMPDIR=$D
	$P /usr/bin/python3 -m test -v test_mmap >log 2>&1 || { cat log; exit 1; }
	grep -E '\.\.\. (ok|FAIL|ERROR|skipped)' log
fi
