#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# sqlite: two writers and a reader on one database in WAL mode.
# pkg: sqlite3
# does: the shared index of the log is mapped by every process in blocks of
#	32 KiB; fcntl locks on the mapped file; no msync at all
# files: none
# calls: none
set -eu -o pipefail

if [ "${1-}" != check ]; then
	$P sqlite3 t.db 'PRAGMA journal_mode=WAL;
		CREATE TABLE x(writer INT, n INT, v TEXT);'
	for writer in 1 2; do
		for n in {1..8}; do
			echo ".timeout 60000
				BEGIN IMMEDIATE;
				INSERT INTO x VALUES($writer, $n, hex(zeroblob(200)));
				COMMIT;"
		done | $P sqlite3 t.db &
	done
	for n in {1..5}; do
		echo '.timeout 60000
			SELECT count(*) >= 0 FROM x;'
	done | $P sqlite3 t.db | sort -u
	wait
fi
sqlite3 t.db 'PRAGMA integrity_check;
	SELECT writer, count(*), sum(n), sum(length(v)) FROM x GROUP BY writer;'
