#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check of a truncated or hostile ELF file ends soon, with one clear line and without a signal.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
t_need python3 python3
t_cc dynamic program.c -Wl,--hash-style=both
cat >hostile.py <<'END'
import os, random, struct, subprocess, sys

cli, name = sys.argv[1:3]
whole = open(name, "rb").read()
seed = int(os.environ.get("T_SEED", "4"))
random.seed(seed)
tried = 0

def judge(what, data, statuses=(0, 1, 2)):
    global tried
    tried += 1
    with open("hostile", "wb") as f:
        f.write(data)
    try:
        done = subprocess.run([cli, "check", "--brief", "./hostile"],
                              capture_output=True, timeout=10)
    except subprocess.TimeoutExpired:
        sys.exit(f"{what}: hangs (seed {seed})")
    if done.returncode not in statuses:
        sys.exit(f"{what}: exit status {done.returncode}: {done.stdout} {done.stderr} (seed {seed})")
    if done.stdout.count(b"\n") != 1 or done.stderr:
        sys.exit(f"{what}: not one line: {done.stdout} {done.stderr} (seed {seed})")
    return done.stdout.decode(errors="replace")

def patched(*patches):
    data = bytearray(whole)
    for offset, value in patches:
        data[offset:offset + len(value)] = value
    return bytes(data)

# Cut short, anywhere: the sections behind the last segment may go.
end = 0
phoff, = struct.unpack_from("<Q", whole, 32)
phnum, = struct.unpack_from("<H", whole, 56)
dynamic = None
for i in range(phnum):
    kind, flags, offset, va, pa, size, mem, align = \
        struct.unpack_from("<IIQQQQQQ", whole, phoff + 56 * i)
    if kind == 1:
        end = max(end, offset + size)
    if kind == 2:
        dynamic = offset, size
    if kind == 3:
        interp = phoff + 56 * i
for size in [*range(0, 200), *range(200, end, 211), end - 1]:
    said = judge(f"cut to {size}", whole[:size], (2,))
    expected = "neither an ELF file" if size < 4 else "damaged ELF file"
    if expected not in said:
        sys.exit(f"cut to {size}: {said}")

# What a header can claim.
big = [struct.pack("<Q", v) for v in (1, 1 << 31, (1 << 63) - 1, (1 << 64) - 1, len(whole) - 1)]
for offset in range(24, 64, 2):
    for value in (b"\xff\xff", b"\0\0", b"\xff\x7f"):
        judge(f"header {offset}", patched((offset, value)))
for i in range(phnum):
    for field in range(8, 56, 8):
        for value in big:
            judge(f"program header {i}, {field}", patched((phoff + 56 * i + field, value)))
for at in range(dynamic[0], dynamic[0] + dynamic[1], 8):
    for value in big[1:]:
        judge(f"dynamic {at}", patched((at, value)))

# A string that nothing ends, and an interpreter that is long.
judge("interpreter", patched((interp + 32, struct.pack("<Q", len(whole) // 2))))

# Anything else.
for n in range(int(os.environ.get("T_MUTATIONS", "400"))):
    data = bytearray(whole)
    for _ in range(random.choice((1, 2, 8, 64))):
        at = random.choice((random.randrange(64 + 56 * phnum),
                            dynamic[0] + random.randrange(dynamic[1]),
                            random.randrange(0x1000), random.randrange(len(data))))
        data[at] = random.choice((0, 1, 0x7f, 0x80, 0xff, random.randrange(256)))
    judge(f"mutation {n}", bytes(data))
print(tried, "files")
END
python3 hostile.py "$T_CLI" "$T_BIN/dynamic" || t_fail "see above"

# A library that needs itself, and one that needs what is no library.
echo 'int f(void);' >empty.c
"$CC" -shared -fPIC -Wl,-soname,libloop.so -o first.so empty.c || t_fail "no first.so"
"$CC" -shared -fPIC -Wl,-soname,libother.so -o libloop.so empty.c \
	-Wl,--no-as-needed ./first.so -Wl,-rpath,"$T_WORK" || t_fail "no libloop.so"
t_cli 0 check ./libloop.so
[ "$(grep -c '^  libloop.so ' out)" = 1 ] || t_fail "loaded twice"
mkfifo fifo
"$CC" -shared -fPIC -Wl,-soname,./fifo -o libfifo.so empty.c || t_fail "no libfifo.so"
"$CC" -Wl,--no-as-needed -o needs_fifo "$T_ROOT/tests/cli/program.c" ./libfifo.so || t_fail "no needs_fifo"
t_cli 2 check ./needs_fifo
t_says out 'no: ./fifo, which needs_fifo needs, was not found'
