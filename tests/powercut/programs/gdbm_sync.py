# SPDX-License-Identifier: BSD-3-Clause
#
# gdbm: a hash file that changes in place and syncs its whole map. It promises
# nothing about a cut in the middle of a change, so the power is cut between a
# sync and the next change only (quiet, in `runs`).
import os
from dbm import gnu

import real


def path(directory):
    return os.path.join(directory, "g.db")


def run(directory, seed, ops):
    db = gnu.open(path(directory), "n")

    def operate(op):
        for key, value in real.changes(seed, op).items():
            if value is None:
                if key in db:
                    del db[key]
            else:
                db[key] = value
        db.sync()

    real.loop(ops, operate)


def check(directory, seed, acked, begun):
    try:
        db = gnu.open(path(directory), "r")
        rows = {key: db[key] for key in db.keys()}
    except (OSError, gnu.error) as error:
        return f"it does not open: {error}" if acked else None
    return real.judge(rows, seed, acked, begun)


real.main(run, check)
