#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# lmdb: the memory-mapped database, written through its map.
# pkg: python3-lmdb python3-minimal
# does: for each commit a whole-map sync, then one of the meta page; the order
#	between the two is the database's consistency
# files: db/data.mdb
# calls: same
set -eu

if [ "${1-}" != check ]; then
	cat >fill.py <<-'P'
		import lmdb
		env = lmdb.open('db', map_size=2 << 20, writemap=True)
		for i in range(8):
		    with env.begin(write=True) as txn:
		        for j in range(50):
		            txn.put(b'%02d/%02d' % (i, j), b'old' * (i + 1))
		# Pages are reused from here on: nothing is allocated any more.
		for i in range(80):
		    with env.begin(write=True) as txn:
		        for j in range(5):
		            key = b'%02d/%02d' % (i % 8, i // 8 * 5 + j)
		            txn.put(key, key * (i % 8 + 1))
		        if i == 79:
		            txn.delete(key)
		env.close()
		P
	$P /usr/bin/python3 fill.py
fi
/usr/bin/python3 - <<'P'
import lmdb
env = lmdb.open('db', map_size=2 << 20, readonly=True, lock=False)
with env.begin() as txn:
    rows = dict(txn.cursor())
assert len(rows) == 399, len(rows)
for key, value in rows.items():
    assert value == key * (int(key[:2]) + 1), key
print(len(rows), 'rows are right')
P
