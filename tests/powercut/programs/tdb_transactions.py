# SPDX-License-Identifier: BSD-3-Clause
#
# tdb in transactions: a recovery area, synced, then the change in place, synced
# again; msync and fdatasync beside each other; the file grows.
import os

import real
import tdb


def open_file(directory, flags):
    return tdb.Tdb(os.path.join(directory, "t.tdb"), hash_size=31,
                   tdb_flags=tdb.DEFAULT, flags=flags, mode=0o644)


def run(directory, seed, ops):
    db = open_file(directory, os.O_RDWR | os.O_CREAT)

    def operate(op):
        db.transaction_start()
        for key, value in real.changes(seed, op).items():
            if value is None:
                if key in db:
                    db.delete(key)
            else:
                db.store(key, value)
        db.transaction_commit()

    real.loop(ops, operate)


def check(directory, seed, acked, begun):
    try:
        db = open_file(directory, os.O_RDWR)
        rows = {key: db.get(key) for key in db}
    except (OSError, RuntimeError) as error:
        return f"it does not open: {error}" if acked else None
    return real.judge(rows, seed, acked, begun)


real.main(run, check)
