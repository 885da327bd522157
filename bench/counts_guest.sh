#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# counts_guest.sh: instructions that the whole machine executes for one msync
# on real ext4-DAX, in the guest: the kernel's msync against ours.
#
#	bench/counts_guest.sh BUILD
#
# Twice: in a file whose blocks allow only 4 KiB entries, and in one whose
# blocks are aligned for 2 MiB entries, which the kernel flushes whole. Exit status 0 when ours of 4 KiB
# takes at least 20 times fewer with those, else 1; 77 without the guest
# (tests/guest/guest --install).

set -euo pipefail

least=20
cases=(msync_64 msync_4k msync_64k store_msync_4k)
keys=refresh=0
contenders=('kernel' 'shim' 'shim-noverify')
calls=64
build=$(readlink -f "$1")
root=$(readlink -f "$(dirname "$0")/..")
guest=$root/tests/guest/guest
work=$(mktemp -d "${TMPDIR:-/tmp}/pmemshim-counts.XXXXXX")
trap 'rm -rf "$work"' EXIT

cat >"$work/inside" <<'END'
set -e
build=$1 keys=$2 pieces=$3
shift 3
for name; do
	rm -f /mnt/pmem/file
	"$build/bench/counts" /mnt/pmem/file "$name" $pieces
	for verify in yes no; do
		rm -f /mnt/pmem/file
		PMEMSHIM_DEFAULTS=mode=flush PMEMSHIM_PATHS=/mnt/pmem,$keys,verify=$verify \
			LD_PRELOAD=$build/libpmemshim.so \
			"$build/bench/counts" /mnt/pmem/file "$name" $pieces
	done
done
END

# The median of the spans that the run with this number (from 0) left.
median() {
	tail -n "+$(($1 * calls + 1))" "$work/spans" | head -n $calls | sort -n |
		sed -n $((calls / 2))p
}

# run TITLE PIECES [OPTION...]: boot, count, print; sets times_4k.
run() {
	local title=$1 pieces=$2 status=0 i kernel shim noverify
	local expected=$((calls * ${#contenders[@]} * ${#cases[@]}))
	shift 2
	"$guest" --timeout 500 "$@" --qemu-arg -plugin \
		--qemu-arg "$build/bench/count_span.so,out=$work/spans" \
		-- bash "$work/inside" "$build" "$keys" "$pieces" "${cases[@]}" || status=$?
	((status != 125)) || exit 77
	((status == 0)) || exit 1
	[[ $(wc -l <"$work/spans") -eq $expected ]] || {
		echo "counts: $(wc -l <"$work/spans") spans, expected $expected" >&2
		exit 1
	}
	printf '\n%s: instructions of the whole machine, per call\n%-16s' \
		"$title" ''
	printf '%14s' "${contenders[@]}"
	printf '%10s\n' 'times'
	for i in "${!cases[@]}"; do
		kernel=$(median $((i * 3))) shim=$(median $((i * 3 + 1)))
		noverify=$(median $((i * 3 + 2)))
		printf '%-16s%14d%14d%14d%10s\n' "${cases[i]}" "$kernel" \
			"$shim" "$noverify" $((kernel / shim))
		[[ ${cases[i]} != msync_4k ]] || times_4k=$((kernel / shim))
	done
}

times_4k=0
run 'ext4-DAX, a file that grew in pieces (4 KiB entries)' pieces
run 'ext4-DAX, blocks aligned to 2 MiB' '' \
	--mkfs-options '-E stride=512,stripe_width=512'
((times_4k >= least)) || {
	echo "counts: 4 KiB takes $times_4k times fewer, not $least" >&2
	exit 1
}
