# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# pmemshim ab runs each way to sync by its name, with the entries that it asks for; stat shows what auto learned
. "$T_ROOT/tests/support/t_cli.sh"
t_cc ab_syncer ab_syncer.c
rules=$T_DATA,assume_pmem=yes,refresh=0,verify=no,pages=auto

# 2 MiB and a page: long enough to lie anywhere.
t_cli 0 ab --json -n 6 --seed 3 -p "$rules" \
	--arms bare,kernel/small,kernel/huge,flush/small,flush/huge,auto -- \
	"$T_BIN/ab_syncer" "$T_DATA/file" 20 0 513
t_json 'j["void"] is None and len(j["runs"]) == 36'
t_json 'all(r["arm_b"]["calls"] == 0 for r in j["runs"] if r["arm"].startswith("kernel/"))'
t_json 'all(r["arm_a"]["calls"] == 0 for r in j["runs"] if r["arm"].startswith("flush/"))'
t_json 'all(r["counters"]["mappings put where the kernel uses entries of 4 KiB"] == 1
            for r in j["runs"] if r["arm"].endswith("/small"))'
t_json 'all(r["counters"]["mappings put where the kernel may use entries of 2 MiB"] == 1
            for r in j["runs"] if r["arm"].endswith("/huge"))'
t_json 'all(r["msyncs"] == 20 for r in j["runs"] if r["arm"] != "bare")'
t_json 'j["ratios"]["wall_bare_over_auto"]["n"] == 6'

# More of them than it takes to know both ways of a page.
export PMEMSHIM_STATS=$T_WORK/stats PMEMSHIM_LOG=error
PMEMSHIM_PATHS=$T_DATA,assume_pmem=yes,refresh=0,mode=auto LD_PRELOAD=$T_SO \
	"$T_BIN/ab_syncer" "$T_DATA/file" 500 0 1 >"$T_WORK/out" || t_fail 'the program failed'
t_cli 0 stat "$T_WORK/stats"
grep -Eq '^  4 KiB +[24] [KM]iB( +[0-9.]+ [nu]s +0\.[0-9]+){2} +(user|kernel) +[0-9]+ +[0-9]+$' "$T_WORK/out" ||
	t_fail 'nothing learned of a page'
t_cli 0 stat --json "$T_WORK/stats"
t_json 'len(j["programs"][0]["rules"][0]["learned"]) == 1'
t_json '(lambda l: l["from_bytes"] == 4096 and l["kernel"]["samples"] > 0 and
            l["user"]["samples"] > 0 and l["kernel"]["cost_ns"] > 0 and
            l["chosen"] in ("user", "kernel"))(j["programs"][0]["rules"][0]["learned"][0])'
