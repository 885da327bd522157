#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# rocksdb: its benchmark, with files written through maps.
# pkg: rocksdb-tools
# does: appends by memcpy into a window that moves (offsets other than 0), a
#	sync of what was appended, fdatasync, ftruncate at close, many threads
# files: none
# calls: vary
# fewer: no: each window is synced once, and a first sync is the kernel's
set -eu -o pipefail

if [ "${1-}" != check ]; then
	$P db_bench --db="$D/db" --benchmarks=fillsync,overwrite,verifychecksum \
		--num=2000 --value_size=100 --mmap_write=1 --mmap_read=1 \
		--compression_type=none --write_buffer_size=65536 --threads=1 \
		--seed=5 >log 2>&1 || { cat log; exit 1; }
fi
ldb --db="$D/db" checkconsistency | grep OK
