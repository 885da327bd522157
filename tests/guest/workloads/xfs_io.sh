#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# xfs_io: a script of mapping calls, compared with what read(2) sees.
# pkg: xfsprogs
# does: extends by truncate, maps, sets, syncs of every kind and of parts,
#	a map that moves
# files: f
# calls: same
set -eu -o pipefail

if [ "${1-}" != check ]; then
	commands=(-c 'truncate 2m' -c 'mmap -rw 0 2m' -c 'mwrite -S 0x31 0 2m'
		-c 'msync -s 0 2m' -c 'msync -a 0 64k' -c 'msync -i 0 64k')
	for i in {1..12} {1..12} {1..12}; do
		commands+=(-c "mwrite -S $((i + 64)) $((i * 100000)) 5000"
			-c "msync -s $((i * 100000 / 4096 * 4096)) 9096")
	done
	commands+=(-c 'mremap -m 3m' -c 'mwrite -S 0x7a 4096 10'
		-c 'msync -s 4096 4k' -c 'mwrite -S 0x7b 8192 10'
		-c 'msync -s 4096 8k' -c munmap)
	$P xfs_io -f -t "${commands[@]}" f
	$P xfs_io -r -c 'mmap -r 0 2m' -c 'mread -v 4090 32' f
fi
/usr/bin/python3 - <<'P'
want = bytearray(b'1' * (2 << 20))
for i in range(1, 13):
    want[i * 100000:i * 100000 + 5000] = bytes([i + 64]) * 5000
want[4096:4106] = b'z' * 10
want[8192:8202] = b'{' * 10
assert open('f', 'rb').read() == want
print('2 MiB as written')
P
