#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SIGKILL in mid-run leaves the statistics, and they add up.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc stats_calls stats_calls.c
T_TRACE=''
T_KEYS=mode=ab,block=4,refresh=0
ulimit -c 0
for how in killed killed-threads; do
	for _ in 1 2 3; do
		t_run shim "$T_BIN/stats_calls" $how
		[ "$(cat "$T_WORK/shim.status")" = 137 ] || t_fail "$how: status $(cat "$T_WORK/shim.status")"
		grep -q 'process [0-9]* (stats_calls): killed or left by _exit' "$T_WORK/shim.stats" ||
			t_fail "$how: $(head -n 1 "$T_WORK/shim.stats")"
		"$T_PMEMSHIM" stat --json "$T_WORK/stats" >"$T_WORK/json" || t_fail "$how: unreadable"
		# A call that SIGKILL met may be in one number and not yet in the next.
		/usr/bin/python3 - "$T_WORK/json" <<-'END' || t_fail "$how: it does not add up"
			import json, sys
			rule = json.load(open(sys.argv[1]))["programs"][0]["rules"][0]
			threads, total = 4, 0
			for arm in rule["arms"].values():
			    assert arm["calls"] > 20, arm
			    assert abs(arm["calls"] - arm["latency_calls"]) <= threads, arm
			    assert arm["bytes"] % 4096 == 0 and arm["bytes"] >= 4096 * arm["calls"] - 65536, arm
			    assert arm["block_calls"] <= arm["calls"] + threads, arm
			    assert arm["block_calls"] == 4 * arm["blocks"], arm
			    assert 0 < arm["sync_ns"], arm
			    total += arm["calls"]
			served = sum(n for text, n in rule["counters"].items()
			             if text.startswith("msync") and "metadata" not in text)
			assert 0 <= served - total <= threads, (served, total)
		END
	done
done
