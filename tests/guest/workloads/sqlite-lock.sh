#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# sqlite-lock: a lock on the log's index must survive more of it being mapped.
# pkg: sqlite3
# does: holds the write lock on t.db-shm while mapping further blocks of it
#	(each 32 KiB block is for 4,096 frames); another process must be refused
# files: none
# calls: none
set -eu -o pipefail

if [ "${1-}" != check ]; then
	cat >holder.sql <<-'S'
		PRAGMA page_size=1024;
		PRAGMA journal_mode=WAL;
		PRAGMA cache_size=10;
		PRAGMA wal_autocheckpoint=0;
		CREATE TABLE x(v BLOB);
		BEGIN IMMEDIATE;
		WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c
			WHERE n < 4600) INSERT INTO x SELECT zeroblob(900) FROM c;
		.shell stat -c 'index of %s bytes' t.db-shm
		.shell sqlite3 -cmd '.timeout 0' t.db 'BEGIN IMMEDIATE' 2>&1
		COMMIT;
	S
	$P sqlite3 t.db <holder.sql | tee log
	grep -q 'database is locked' log
	grep -q 'index of 65536 bytes' log
fi
sqlite3 t.db 'PRAGMA integrity_check; SELECT count(*) FROM x;'
