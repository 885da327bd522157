#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# fio: blocks written through the map by processes, then verified.
# pkg: fio
# does: copies of 4 KiB, and a whole-map sync after every 16 of them; the
#	processes leave by _exit
# files: none
# calls: same
set -eu -o pipefail

if [ "${1-}" != check ]; then
	$P fio --name=data --directory=. --ioengine=mmap --rw=randwrite \
		--bs=4k --size=256k --io_size=4m --numjobs=2 --fsync=16 --verify=crc32c \
		--do_verify=1 --verify_fatal=1 --allow_mounted_write=0 \
		--randseed=7 --norandommap=1 --output=log
	grep -c 'err= 0' log
fi
stat -c '%s %n' data.*
