# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# flush=WHO: stores, copies and syncs for the host to count instructions by.
# bare: without the shim, to show that what is counted is the shim's.

stats=$T_OUT/flush
mkdir -p "$stats"

same() {
	local said status

	said=$("$@")
	status=$?
	[ "$status: $said" = '0: msync refused: 0 of 100' ] ||
		t_say "status $status: $said"
}

if [ "$1" = bare ]; then
	t_verdict flush-bare same "$T_BIN/persist" "$T_DIR/bare.data" 100 30000
else
	t_verdict flush-stores same t_shim "PMEMSHIM_STATS=$stats" \
		"$T_BIN/persist" "$T_DIR/stores.data" 100 0
	t_verdict flush-copies same t_shim "PMEMSHIM_STATS=$stats" \
		"$T_BIN/persist" "$T_DIR/copies.data" 100 30000
	t_verdict flush-small-copies same t_shim "PMEMSHIM_STATS=$stats" \
		"$T_BIN/persist" "$T_DIR/small.data" 100 1500
fi
