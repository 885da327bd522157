# SPDX-License-Identifier: BSD-3-Clause
#
# real.py: what lmdb.py, tdb.py, gdbm.py and slices.py share: real libraries,
# unmodified, each called by a loop that marks what it begins and what was
# acknowledged. See own.h for the command line.
#
# A database's state is a function of the seed and the number of operations
# done; the database itself says that number, under the key b'op'. Beside run and
# check there is serve, which checks many times for one start of Python.
import ctypes
import os
import random
import sys


def marks():
    path = os.environ.get("POWERCUT_MARK")
    if not path:
        sys.exit("POWERCUT_MARK is not set")
    lib = ctypes.CDLL(path)
    for name in ("intent", "ack"):
        getattr(lib, "powercut_" + name).argtypes = [ctypes.c_uint64] * 2
    return lib


def save_maps():
    """So that a program counter in the trace finds its name."""
    path = os.environ.get("POWERCUT_MAPS")
    if path:
        with open("/proc/self/maps") as maps, open(path, "w") as out:
            out.write(maps.read())


def changes(seed, op):
    """The keys that an operation stores (or, with None, deletes)."""
    rng = random.Random(f"{seed}/{op}")
    result = {b"op": b"%d" % op}
    for _ in range(rng.randint(1, 4)):
        key = b"key %d" % rng.randrange(60)
        if rng.random() < 0.2:
            result[key] = None
        else:
            length = rng.choice((8, 40, 200, 1500))
            result[key] = (b"%d/%d;" % (op, rng.randrange(9))) * (length // 4)
    return result


def state(seed, ops):
    result = {}
    for op in range(1, ops + 1):
        for key, value in changes(seed, op).items():
            if value is None:
                result.pop(key, None)
            else:
                result[key] = value
    return result


def judge(rows, seed, acked, begun):
    """None, or what is wrong with the rows of a recovered database."""
    op = int(rows.get(b"op", b"0"))
    if not acked <= op <= begun:
        return f"the database is at {op}, not at {acked} to {begun}"
    want = state(seed, op)
    for key in sorted(want.keys() | rows.keys()):
        if want.get(key) != rows.get(key):
            return f"after {op}: {key!r} is {rows.get(key)!r:.40}, not {want.get(key)!r:.40}"
    return None


def loop(ops, operate):
    lib = marks()
    save_maps()
    os.sync()
    lib.powercut_begin()
    for op in range(1, ops + 1):
        lib.powercut_intent(op, 0)
        operate(op)
        lib.powercut_ack(op, 0)
    lib.powercut_end()


def verdict(check, words):
    """check's answer to DIR SEED ACKED:BEGUN."""
    acked, _, begun = words[2].partition(":")
    return check(words[0], int(words[1]), int(acked), int(begun or acked))


def serve(check):
    """A line of words each on stdin; each is answered by what is wrong, and a
    line with the child's status. A child, because what a damaged file does to a
    library must not reach the next one."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                wrong = verdict(check, line.split())
            except BaseException as error:
                wrong = f"{type(error).__name__}: {error}"
            if wrong:
                print(wrong.replace("\n", " "), flush=True)
            os._exit(1 if wrong else 0)
        print(f"= {os.waitpid(child, 0)[1]}", flush=True)


def main(run, check):
    """run(dir, seed, ops); check(dir, seed, acked, begun) as judge()."""
    verb, *words = sys.argv[1:]
    if verb == "run":
        run(words[0], int(words[1]), int(words[2]))
    elif verb == "serve":
        serve(check)
    else:
        wrong = verdict(check, words)
        if wrong:
            print(wrong)
            sys.exit(1)
