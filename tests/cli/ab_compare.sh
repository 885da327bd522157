# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# pmemshim ab runs every arm, counts what the program did, and says all in JSON
. "$T_ROOT/tests/support/t_cli.sh"
t_cc ab_syncer ab_syncer.c
rules=$T_DATA,assume_pmem=yes,refresh=0,verify=no

t_cli 0 ab --json -n 6 --seed 3 -b 2 -p "$rules" -- \
	"$T_BIN/ab_syncer" "$T_DATA/file" 81 1000 2
t_json 'j["void"] is None and "6 runs each" in j["verdict"]'
t_json 'j["seed"] == 3 and len(j["runs"]) == 24'
# Every round has every arm once, and not always in the same order.
t_json 'all(sorted(r["arm"] for r in j["runs"] if r["round"] == n) ==
            ["ab", "bare", "flush", "kernel"] for n in range(1, 7))'
t_json 'len({tuple(r["arm"] for r in j["runs"] if r["round"] == n)
             for n in range(1, 7)}) > 2'
# The shim saw what the program did, and nothing is seen of bare runs.
t_json 'all(r["msyncs"] == 81 for r in j["runs"] if r["arm"] != "bare")'
t_json 'all("msyncs" not in r for r in j["runs"] if r["arm"] == "bare")'
t_json 'all(r["arm_a"]["calls"] + r["arm_b"]["calls"] == 81 and
            r["arm_a"]["bytes"] + r["arm_b"]["bytes"] == 81 * 8192
            for r in j["runs"] if r["arm"] != "bare")'
# Each arm is what it is called.
t_json 'all(r["msync_system_calls"] == 81 and r["arm_b"]["calls"] == 0
            for r in j["runs"] if r["arm"] == "kernel")'
t_json 'all(r["msync_system_calls"] < 81 and r["arm_a"]["calls"] == 0 and
            r["counters"]["bytes flushed by msync"] > 0
            for r in j["runs"] if r["arm"] == "flush")'
# 81 syncs are 40 blocks of 2 that ended: 20 of each arm; one call is over.
t_json 'all(40 <= r["arm_a"]["calls"] <= 41 for r in j["runs"] if r["arm"] == "ab")'
t_json 'j["ratios"]["sync"]["n"] == 6 * 20 and j["ratios"]["sync"]["groups"] == 6'
t_json 'all(r["low"] <= r["ratio"] <= r["high"] for r in j["ratios"].values() if r)'
t_json 'all(a["p50_ns"] <= a["p90_ns"] <= a["p99_ns"] <= a["p99_9_ns"] <= a["max_ns"]
            for r in j["runs"] if r["arm"] == "ab" for a in (r["arm_a"], r["arm_b"]))'
t_json 'all(r["wall_ns"] > 0 and r["faults"] > 0 for r in j["runs"])'
t_json 'j["environment"]["rules"].endswith("verify=no")'
t_json '"tmpfs" in j["environment"]["file_systems"][0]'

# The same in text; other arms; a child's children are of the run.
t_cli 0 ab -n 1 -w 0 --arms kernel,flush -p "$rules" -- sh -c \
	'"$@"; "$@"' sh "$T_BIN/ab_syncer" "$T_DATA/file" 30 0 1
t_says out 'too few runs for a claim on the whole run (1 of the 6 rounds that it takes)'
grep -Eq '^  msyncs of tracked mappings +60 +60$' "$T_WORK/out" ||
	t_fail 'not the 60 msyncs of both children'
t_not_says out bare
t_not_says err round

# On a terminal it says where it is, and wipes that.
python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$T_CLI" ab -n 2 \
	--arms bare -p "$rules" -- true >"$T_WORK/out" 2>&1 </dev/null
t_says out 'warm-up: bare; ? left'
t_says out 'round 2 of 2: bare; '
t_says out $'\r\033[K'

# Nothing is left behind.
[ -z "$(find "${TMPDIR:-/dev/shm}" -maxdepth 1 -name 'pmemshim-ab.*' \
	-newer "$T_BIN/ab_syncer" -user "$(id -u)" -empty 2>/dev/null)" ] ||
	t_fail 'scratch directories are left'
