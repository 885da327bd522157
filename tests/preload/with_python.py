# SPDX-License-Identifier: BSD-3-Clause
# mmap and numpy.memmap: stores, moves, a resize, syncs of all and of a part.
import mmap, os, sys

path = os.path.join(os.environ["T_FILES"], "data")
with open(path, "wb") as f:
    f.write(b"\1" * 65536)
f = open(path, "r+b")
m = mmap.mmap(f.fileno(), 65536)
m[0:4096] = b"a" * 4096
m.flush()
m[4096:12288] = b"b" * 8192
m.flush()
m.flush(4096, 8192)
m.move(0, 100, 9000)
m.flush(0, 16384)
try:
    m.flush(1, 4096)
except OSError as e:
    print("flush refused", e.errno)
m.resize(131072)
m[65536:131072] = bytes(range(256)) * 256
m.flush()
m.flush()
print(m.find(b"\0\1\2"), m.rfind(b"b"), len(m))
sys.stdout.flush()
pid = os.fork()
if pid == 0:
    m[0:5] = b"child"
    m.flush()
    sys.exit(3)
print(os.waitpid(pid, 0)[1], m[0:5])
m.close()
os.truncate(path, 8192)
print(os.stat(path).st_size)
if "numpy" in sys.argv:
    import numpy
    a = numpy.memmap(os.path.join(os.environ["T_FILES"], "array"), dtype="int32", mode="w+", shape=(256, 256))
    a[:] = numpy.arange(65536).reshape(256, 256)
    a.flush()
    a[1:200] = a[2:201]
    a.flush()
    a.flush()
    print(int(a.sum()))
    del a
    a = numpy.memmap(os.path.join(os.environ["T_FILES"], "array"), dtype="int32", mode="r", shape=(256, 256))
    print(int(a.sum()))
