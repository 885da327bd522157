# SPDX-License-Identifier: BSD-3-Clause
"""A small ledger kept by LMDB (unmodified, Debian's python3-lmdb), in the mode
in which it writes through a shared mapping and makes each transaction durable
by msync.

    ledger.py FILE write    make it: 20 accounts, 400 transfers, one durable
                            transaction each; print the final state
    ledger.py FILE check    read it: every balance, their sum, the count of
                            transfers; exit 1 when they are not as written
"""
import random
import struct
import sys

import lmdb

ACCOUNTS, TRANSFERS, MONEY = 20, 400, 1000
NUMBER = struct.Struct("<q")


def open_ledger(path):
    return lmdb.open(path, map_size=2 << 20, writemap=True, subdir=False)


def write(env):
    chance = random.Random(1)
    with env.begin(write=True) as txn:
        for i in range(ACCOUNTS):
            txn.put(b"account%02d" % i, NUMBER.pack(MONEY))
        txn.put(b"transfers", NUMBER.pack(0))
    for n in range(1, TRANSFERS + 1):
        giver, taker = (b"account%02d" % i
                        for i in chance.sample(range(ACCOUNTS), 2))
        amount = chance.randrange(1, 50)
        with env.begin(write=True) as txn:
            for who, change in (giver, -amount), (taker, amount):
                balance, = NUMBER.unpack(txn.get(who))
                txn.put(who, NUMBER.pack(balance + change))
            txn.put(b"transfers", NUMBER.pack(n))


def check(env):
    with env.begin() as txn:
        total = sum(NUMBER.unpack(txn.get(b"account%02d" % i))[0]
                    for i in range(ACCOUNTS))
        count, = NUMBER.unpack(txn.get(b"transfers"))
    print(f"{count} transfers, {total} in {ACCOUNTS} accounts")
    return count == TRANSFERS and total == ACCOUNTS * MONEY


def main():
    path, action = sys.argv[1:]
    env = open_ledger(path)
    if action == "write":
        write(env)
    sys.exit(0 if check(env) else 1)


main()
