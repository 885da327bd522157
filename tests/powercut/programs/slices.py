# SPDX-License-Identifier: BSD-3-Clause
#
# CPython's mmap: assignments to slices, each a memcpy of 1 byte to 48 KiB at any
# alignment, then a flush of its pages. The map is resized, up and down.
import hashlib
import mmap
import os
import random

import real

SLOT, SLOTS, PAGE = 64 << 10, 8, mmap.PAGESIZE


def plan(seed, op):
    """Slot, place in it and length of what an operation writes."""
    rng = random.Random(f"{seed}/{op}")
    length = rng.choice((1, 64, 300, 1024, 4096, 5000, 20000, 48 << 10))
    return op % SLOTS, rng.randrange(SLOT - length), length


def content(seed, op, length):
    return hashlib.shake_128(b"%d/%d" % (seed, op)).digest(length)


def path(directory):
    return os.path.join(directory, "slices")


def run(directory, seed, ops):
    fd = os.open(path(directory), os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, SLOTS * SLOT)
    area = mmap.mmap(fd, SLOTS * SLOT)

    def operate(op):
        if op % 16 == 15:
            area.resize((SLOTS + op // 16 % 3) * SLOT)
        slot, place, length = plan(seed, op)
        at = slot * SLOT + place
        area[at:at + length] = content(seed, op, length)
        first = at // PAGE * PAGE
        area.flush(first, at + length - first)

    real.loop(ops, operate)


def check(directory, seed, acked, begun):
    want, other = bytearray(SLOTS * SLOT), bytearray(SLOTS * SLOT)
    for op in range(1, begun + 1):
        slot, place, length = plan(seed, op)
        at = slot * SLOT + place
        if op <= acked:
            want[at:at + length] = content(seed, op, length)
        other[at:at + length] = content(seed, op, length)
    try:
        with open(path(directory), "rb") as file:
            got = file.read(SLOTS * SLOT)
    except OSError as error:
        return str(error) if acked else None
    if acked and len(got) < SLOTS * SLOT:
        return f"the file has {len(got)} bytes, not {SLOTS * SLOT}"
    if got == want:
        return None
    for at, byte in enumerate(got):
        if byte != want[at] and byte != other[at]:
            return f"byte {at} is {byte}, not {want[at]} (nor {other[at]})"
    return None


real.main(run, check)
