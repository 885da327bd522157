#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# fio-threads: three threads of one process, each with a file.
# pkg: fio
# does: copies of 32 KiB over each other, each followed by a whole-map sync;
#	verified
# files: none
# calls: same
set -eu -o pipefail

if [ "${1-}" != check ]; then
	$P fio --name=data --directory=. --ioengine=mmap --rw=randwrite \
		--norandommap=1 --bs=32k \
		--size=256k --io_size=2m --numjobs=3 --thread --fsync=1 \
		--verify=sha256 --do_verify=1 --verify_fatal=1 --end_fsync=1 \
		--randseed=3 --output=log
	grep -c 'err= 0' log
fi
stat -c '%s %n' data.*
