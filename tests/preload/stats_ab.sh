#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# mode=ab: half of the calls in turns to the kernel, drawn from the seed alone, in every thread alike.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc stats_calls stats_calls.c
# The lengths, in pages, of the calls that the kernel got, but commit pages.
seen() { sed -n 's/.*msync(0x[0-9a-f]*, \([0-9]*\), MS_SYNC.*/\1/p' "$T_WORK/shim.strace" | tr '\n' ' '; }
run() { # KEYS SEED
	T_KEYS=mode=ab,verify=no,refresh=0,$1
	PMEMSHIM_SEED=$2
	export PMEMSHIM_SEED
	t_judge stats_calls exit 256
	[ -s "$T_WORK/shim.strace" ] || t_fail 'nothing was traced'
	"$T_PMEMSHIM" stat --json "$T_WORK/stats" >"$T_WORK/json"
	sed -n 's/.*"seed": "\(.*\)".*/\1/p' "$T_WORK/json" | grep -qx "$2" || t_fail "the seed is not recorded"
}
for keys in block=1 block=8; do
	run $keys 7
	first=$(seen)
	turns=$(t_count 'msync by the kernel: its turn')
	((turns >= 127 && turns <= 128)) || t_fail "$keys: $turns of 256 were the kernel's"
	for arm in kernel user; do
		grep -qE "^ +$arm +128 " "$T_WORK/shim.stats" || t_fail "$keys: $(cat "$T_WORK/shim.stats")"
	done
	run $keys 7
	[ "$(seen)" = "$first" ] || t_fail "$keys: the same seed made another order"
	run $keys 8
	[ "$(seen)" != "$first" ] || t_fail "$keys: another seed made the same order"
done
# Blocks of 8: of every 16 calls the kernel got the first half or the second.
# (If the very first call was not its turn, it was the kernel's all the same.)
run block=8 7
seen | tr ' ' '\n' | awk '$1 { page[n++] = $1 / 4096 }
	END {
		if (page[1] != 2) first = 1
		for (i = first; i < n; i++) {
			k = (i - first) % 8
			if (k == 0) start = page[i]
			if ((start != 1 && start != 9) || page[i] != start + k) exit 1
		}
		exit n - first != 128
	}' || t_fail "no blocks: $(seen)"
# Without a file nothing is measured, one line says so, and turns are taken.
strace -f -qq -e trace=msync -o "$T_WORK/shim.strace" -E LD_PRELOAD="$T_SO" \
	-E PMEMSHIM_PATHS="$(t_rule)" "$T_BIN/stats_calls" exit 256 >/dev/null 2>"$T_WORK/err"
sed -i '/NOTHING IS DURABLE/d' "$T_WORK/err"
{ [ "$(wc -l <"$T_WORK/err")" = 1 ] && grep -q 'mode=ab without PMEMSHIM_STATS' "$T_WORK/err"; } || t_fail "$(cat "$T_WORK/err")"
n=$(seen | wc -w)
((n >= 128 && n <= 129)) || t_fail "without statistics $n of 256 were the kernel's"
