# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# pmemshim ab on three unmodified programs: what it counts in each run is what
# strace -c counts in that very run, and what the program itself knows.

# The checks of one workload: NAME, its own number of synchronous msyncs, and
# how many others it makes.
agree='
import json, sys
name, own, others = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
j = json.load(open(name + ".json"))
def straced(run):
    for line in open("trace.%d.%s" % (run["round"], run["arm"])):
        words = line.split()
        if words[-1:] == ["msync"]:
            return int(words[3])
    return 0
assert j["void"] is None, j["void"]
assert [r["arm"] for r in j["runs"]] != [], "no runs"
assert sorted(r["arm"] for r in j["runs"]) == ["ab", "bare", "flush", "kernel"]
for run in j["runs"]:
    seen = straced(run)
    if run["arm"] == "bare":
        assert seen == own + others, "bare: strace %d, own %d" % (seen, own + others)
        continue
    told, counters = run["msync_system_calls"], run["counters"]
    told += sum(counters.get("msync " + text, 0) for text in
                ("with an argument that the kernel refuses",))
    calls = run["arm_a"]["calls"] + run["arm_b"]["calls"]
    assert run["msyncs"] == calls == own, "%s: %d msyncs, own %d" % (run["arm"], calls, own)
    assert told == seen, "%s: told %d system calls, strace %d" % (run["arm"], told, seen)
    if run["arm"] == "kernel":
        assert seen == own, "kernel: strace %d" % seen
    elif run["arm"] == "flush":
        assert seen < own, "flush: strace %d" % seen
    else:
        turns = counters["msync by the kernel: its turn in mode=ab"]
        assert turns <= run["arm_a"]["calls"] <= turns + 4, "%d turns" % turns
        assert abs(run["arm_a"]["calls"] - run["arm_b"]["calls"]) <= 2
assert j["environment"]["emulated"] == (sys.argv[4] == "emulated")
if j["environment"]["emulated"]:
    assert j["verdict"].startswith("on an emulated CPU"), j["verdict"]
    assert "emulated CPU (QEMU TCG): counts are exact" in open(name + ".html").read()
# A takes write access from pages that are stored to in the blocks of B.
share = {r["arm"]: r["counters"].get("msync by the kernel: metadata only, before a persist", 0) /
         r["counters"]["msync persisted from user space"]
         for r in j["runs"] if r["arm"] in ("ab", "flush")}
assert (j["caution"] is not None) == (share["ab"] >= share["flush"] + 0.1), (share, j["caution"])
print(name, "agrees:", {r["arm"]: straced(r) for r in j["runs"]}, j["verdict"])
'

# compare NAME OWN OTHERS: leaves NAME.json, NAME.html and what strace counted.
compare() {
	local name=$1 results=$T_OUT/ab/$1 dir=$T_DIR/work/ab/$1 machine=emulated
	[ "$T_FS" != native ] || machine=real

	mkdir -p "$results" "$dir"
	cd "$results" || return
	# shellcheck disable=SC2016 # the inner shell's
	D=$dir P='' "$T_PMEMSHIM" ab --json -n 1 -w 0 --block 2 \
		-p auto,refresh=0 --report "$name.html" \
		--setup "rm -rf '$dir' && mkdir '$dir'" \
		--check "mv '$results/trace' '$results/trace.'\$PMEMSHIM_AB_ROUND.\$PMEMSHIM_AB_ARM" \
		-- sh -c 'cd "$D" && exec "$@"' sh \
		strace -f -c --seccomp-bpf -e trace=msync -o "$results/trace" \
		bash "$T_HERE/workloads/$name.sh" >"$name.json" 2>"$name.err" ||
		{ cat "$name.err"; return 1; }
	python3 -c "$agree" "$name" "$2" "$3" "$machine" 2>&1 | tee agrees
	return "${PIPESTATUS[0]}"
}

# fill.py calls flush for every 16 rows of 128, ten times; then twice more.
t_verdict ab-numpy compare numpy $((10 * 8 + 2)) 0
# 88 commits sync the map and then the meta page.
t_verdict ab-lmdb compare lmdb $((2 * 88)) 0
# Its own arguments: msync -s; and one each of -a and -i.
t_verdict ab-xfs_io compare xfs_io $((1 + 36 + 2)) 2
