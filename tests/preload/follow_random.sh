#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Ten thousand random steps: equal results and files, and no sync of foreign memory is kept from the kernel.
. "$T_ROOT/tests/support/t_preload.sh"
t_need python3 python3
t_cc follow_random follow_random.c
seed=${T_SEED:-$(date +%s)}
echo "seed $seed (T_SEED)"
T_KEYS=refresh=0,kernel_above=never,copy_min=64
t_run bare "$T_BIN/follow_random" "$seed" /dev/null
t_run shim "$T_BIN/follow_random" "$seed" "$T_WORK/must"
t_same out err status
grep -q '^steps 10000 model agrees$' "$T_WORK/shim.out" || t_fail "$(tail -n1 "$T_WORK/shim.out") (seed $seed)"
[ "$(t_count 'msync persisted')" -ge 100 ] || t_fail "only $(t_count 'msync persisted') calls persisted"
[ "$(wc -l <"$T_WORK/must")" -ge 100 ] || t_fail "only $(wc -l <"$T_WORK/must") calls were the kernel's to serve"
# In order, the calls that had to reach the kernel are among those that did.
python3 - "$T_WORK/must" "$T_WORK/shim.strace" <<'END' || t_fail "a call was kept from the kernel (seed $seed)"
import re, sys
must = [tuple(int(x, 0) for x in l.split()) for l in open(sys.argv[1])]
seen = iter([(int(m[1], 16), int(m[2])) for m in
             (re.search(r'msync\((0x[0-9a-f]+), (\d+)', l) for l in open(sys.argv[2])) if m])
for number, call in enumerate(must):
    if call not in seen:
        sys.exit(f"msync number {number}, {call[0]:#x} {call[1]}")
END
