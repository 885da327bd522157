#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# fio's mmap engine (Debian: fio): memcpy of 4 KiB blocks into the mapping, one
# whole-map msync every 16 of them, and a checksum of every block at the end.
# kernel_above is raised so that a sync of the 8 MiB map stays in user space.
#
#	PMEMSHIM=path/to/libpmemshim.so fio.sh DIR
set -eu

dir=${1:?usage: fio.sh DIR, a directory on a DAX mount}
preload=${PMEMSHIM:-libpmemshim.so}

LD_PRELOAD=$preload PMEMSHIM_DEFAULTS=${PMEMSHIM_DEFAULTS:-kernel_above=16M} \
	fio --name=recipe --directory="$dir" --ioengine=mmap --rw=randwrite \
	--bs=4k --size=8m --fsync=16 --verify=crc32c --do_verify=1 \
	--verify_fatal=1 --verify_state_save=0 --thread --minimal >/dev/null
rm -f "$dir"/recipe.*
echo "8 MiB written and verified"
