# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# pmemshim ab finds a planted difference and none where there is none
#
# The double of the kernel's msync takes a known time in each arm, with noise;
# kernel_above=0 sends both arms to it. T_AB_TIMES comparisons of each kind,
# each with a seed of its own (default 100); fewer, with limits to match, when
# the machine is so busy that the test would be ended before.
. "$T_ROOT/tests/support/t_cli.sh"
t_need python3 python3

times=${T_AB_TIMES:-100}
t_cc ab_syncer ab_syncer.c
t_cc ab_double.so ab_double.c -I"$T_ROOT" -shared -fPIC -O2 -lm

# The shim is in LD_PRELOAD already; the double comes behind it.
# shellcheck disable=SC2016
late='LD_PRELOAD=$LD_PRELOAD:$0 exec "$@"'

# compare A_NS B_NS SEED NAME: one short run of mode=ab; JSON in NAME.SEED.
compare() {
	AB_DELAY_A=$1 AB_DELAY_B=$2 AB_SEED=$3 t_cli 0 ab --json -n 1 -w 0 \
		--arms ab --seed "$3" --block 2 \
		-p "$T_DATA,assume_pmem=yes,kernel_above=0" -- \
		sh -c "$late" "$T_BIN/ab_double.so" \
		"$T_BIN/ab_syncer" "$T_DATA/file" 401 10000 1
	mv "$T_WORK/out" "$T_WORK/$4.$3"
}

for ((seed = 1; seed <= times; seed++)); do
	if ((SECONDS > ${T_TIMEOUT:-120} * 2 / 3 && seed > 20)); then
		times=$((seed - 1))
		break
	fi
	compare 75000 50000 "$seed" planted
	compare 50000 50000 "$seed" equal
done

python3 - "$T_WORK" "$times" <<'PYTHON'
import json, sys
work, times = sys.argv[1], int(sys.argv[2])
def results(kind):
    for seed in range(1, times + 1):
        yield json.load(open(f"{work}/{kind}.{seed}"))
def covers(ratio, truth):
    return ratio["enough"] and ratio["low"] <= truth <= ratio["high"]
sync = sum(covers(r["ratios"]["sync"], 75 / 50) for r in results("planted"))
found = sum("times faster" in r["verdict"] for r in results("planted"))
claims = sum("times faster" in r["verdict"] or "times slower" in r["verdict"]
             for r in results("equal"))
denied = sum("no difference found per sync" in r["verdict"]
             for r in results("equal"))
widths = [r["ratios"]["sync"]["high"] - r["ratios"]["sync"]["low"]
          for r in results("planted")]
print(f"of {times}: the planted ratio is covered {sync} times "
      f"and found {found} times; "
      f"with equal arms {claims} claims, {denied} denials; "
      f"intervals {sum(widths) / times:.3f} wide")
# Of fewer than 100 chance alone can spoil more.
wrong, false = (0.10, 0.08) if times >= 100 else (0.2, 0.2)
if sync < times * (1 - wrong):
    sys.exit("the interval does not cover the planted ratio")
if found < times * 0.9:
    sys.exit("the planted difference is not found")
if claims > times * false:
    sys.exit("a difference is claimed where there is none")
# The rest had too few blocks that were unlike their neighbours.
if denied < times * (0.95 - false):
    sys.exit("too many verdicts neither claim nor deny")
PYTHON
