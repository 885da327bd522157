#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# LMDB in write-map mode (Debian: python3-lmdb). Each commit syncs the whole map
# and then the page with the root: mode=auto, the default, learns for each of the
# two whether the kernel or user space is the cheaper.
#
#	PMEMSHIM=path/to/libpmemshim.so lmdb.sh DIR
set -eu

dir=${1:?usage: lmdb.sh DIR, a directory on a DAX mount}
preload=${PMEMSHIM:-libpmemshim.so}

LD_PRELOAD=$preload /usr/bin/python3 - "$dir/recipe.lmdb" <<'PYTHON'
import sys

import lmdb

env = lmdb.open(sys.argv[1], map_size=2 << 20, writemap=True, subdir=False)
for i in range(50):
    with env.begin(write=True) as txn:
        txn.put(b"key%d" % i, b"value%d" % i)
with env.begin() as txn:
    print(txn.stat()["entries"], "entries")
PYTHON
rm -f "$dir/recipe.lmdb" "$dir/recipe.lmdb-lock"
