#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# fio's mmap engine (Debian: fio): memcpy of 4 KiB blocks into the mapping, one
# whole-map msync every 16 of them, and a checksum of every block at the end.
# Whole-map syncs are what mode=auto, the default, is for; PMEMSHIM_DEFAULTS may
# ask for another one.
#
#	PMEMSHIM=path/to/libpmemshim.so fio.sh DIR
set -eu

dir=${1:?usage: fio.sh DIR, a directory on a DAX mount}
preload=${PMEMSHIM:-libpmemshim.so}

LD_PRELOAD=$preload \
	fio --name=recipe --directory="$dir" --ioengine=mmap --rw=randwrite \
	--bs=4k --size=8m --fsync=16 --verify=crc32c --do_verify=1 \
	--verify_fatal=1 --verify_state_save=0 --thread --minimal >/dev/null
rm -f "$dir"/recipe.*
echo "8 MiB written and verified"
