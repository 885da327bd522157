# SPDX-License-Identifier: BSD-3-Clause
#
# LMDB in write-map mode: stores into the map, one sync of the map and one of
# the meta page for each commit. The map, and with it the file, grows.
import os

import lmdb
import real

FIRST, STEP = 1 << 20, 256 << 10


def path(directory):
    return os.path.join(directory, "data.mdb")


def run(directory, seed, ops):
    env = lmdb.open(path(directory), map_size=FIRST, writemap=True,
                    subdir=False, lock=False)

    def operate(op):
        if op % 40 == 0:
            env.set_mapsize(FIRST + op // 40 * STEP)
        with env.begin(write=True) as txn:
            for key, value in real.changes(seed, op).items():
                if value is None:
                    txn.delete(key)
                else:
                    txn.put(key, value)

    real.loop(ops, operate)


def check(directory, seed, acked, begun):
    try:
        env = lmdb.open(path(directory), map_size=64 << 20, subdir=False,
                        readonly=True, lock=False)
        with env.begin() as txn:
            rows = dict(txn.cursor())
    except lmdb.Error as error:
        return f"it does not open: {error}" if acked else None
    return real.judge(rows, seed, acked, begun)


real.main(run, check)
