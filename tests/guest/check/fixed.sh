# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# MAP_FIXED where MAP_SYNC is refused: memory that was there is never lost in a
# way in which it would not be lost without the shim. (ext4 refuses MAP_SYNC
# only after it has unmapped the old range.)

same_fixed() {
	"$T_BIN/fixed" "$T_DIR/fixed.data" >"$T_OUT/fixed.bare" 2>&1
	t_shim "$T_BIN/fixed" "$T_DIR/fixed.data" >"$T_OUT/fixed.shim" 2>&1
	grep -q '^private: there , then file' "$T_OUT/fixed.bare" ||
		t_say "without the shim: $(tail -n 1 "$T_OUT/fixed.bare")" || return
	cmp -s "$T_OUT/fixed.bare" "$T_OUT/fixed.shim" ||
		t_say "$(diff "$T_OUT/fixed.bare" "$T_OUT/fixed.shim" |
			grep '^[<>]' | head -n 2 | tr '\n' ' ')"
}

no_race() {
	local said status

	said=$(t_shim "$T_BIN/race" "$T_DIR/race.data" 150 2>&1)
	status=$?
	[ $status -eq 0 ] || t_say "status $status: $said"
}

t_verdict fixed same_fixed
t_verdict fixed-race no_race
