#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# kyoto: Kyoto Cabinet's own test programs.
# pkg: kyotocabinet-utils
# does: a sync of the map beside an fsync for every record; a map larger than
#	its file; ftruncate of the mapped file; threads; fcntl locks
# files: order.kch
# calls: vary
# fewer: no: the fsync beside each sync takes write access from the pages, so the
#	next store moves ctime, and the shim has that committed
set -eu -o pipefail

if [ "${1-}" != check ]; then
	$P kchashtest order -oas -bnum 512 -msiz 1048576 order.kch 60 >log
	$P kchashtest wicked -th 2 -it 1 -bnum 512 -msiz 1048576 \
		wicked.kch 150 >>log
	$P kchashtest tran -th 1 -hard -it 1 -bnum 512 -msiz 1048576 \
		tran.kch 40 >>log
	grep -E '^(ok|error)' log
fi
# How many records the other two have is left to chance.
kchashmgr check order.kch | tail -1
kchashmgr check wicked.kch >check.log
kchashmgr check tran.kch >check.log
