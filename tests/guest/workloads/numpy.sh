#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# numpy: an array in a file.
# pkg: python3-numpy
# does: rows copied in, whole-map syncs of 1 MiB, moves within the map that
#	overlap, an array saved and mapped again
# files: *.f8 *.npy
# calls: same
set -eu

if [ "${1-}" != check ]; then
	cat >fill.py <<-'P'
		import numpy as np
		a = np.memmap('a.f8', 'f8', 'w+', shape=(128, 1024))
		for scale in range(10):
		    for i in range(0, 128, 16):
		        rows = np.arange(16384).reshape(16, 1024) + i * 1024
		        a[i:i + 16] = rows * (10 - scale)
		        a.flush()
		a[1:33] = a[0:32]
		a *= 2
		a.flush()
		np.save('b.npy', np.arange(3000))
		b = np.load('b.npy', mmap_mode='r+')
		b[::-1][:7] = 1
		b.flush()
		P
	$P /usr/bin/python3 fill.py
fi
/usr/bin/python3 - <<'P'
import numpy as np
want = np.arange(128 * 1024, dtype='f8').reshape(128, 1024)
want[1:33] = want[0:32].copy()
assert (np.fromfile('a.f8').reshape(128, 1024) == want * 2).all()
b = np.load('b.npy')
assert (b[:-7] == np.arange(2993)).all() and (b[-7:] == 1).all()
print('both arrays are right')
P
