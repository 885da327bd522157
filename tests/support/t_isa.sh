# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# t_isa.sh: t_isa sse2|avx2|avx512 runs tests/preload/copy_every.c under a
# library that believes in no more than this instruction set. Skips where the
# CPU has it not, or the library's objects are not at hand.

t_isa() {
	local isa=$1 build objects flag copy least
	[ "$(uname -m)" = x86_64 ] || t_skip "not an x86-64"
	t_only_tmpfs "the medium is all the same, and emulated CPUs do not track their upper registers"
	case $isa in
	sse2) flag=sse2 ;;
	avx2) flag=avx2 ;;
	avx512) flag=avx512vl ;;
	esac
	grep -qw "$flag" /proc/cpuinfo || t_skip "this CPU has no $isa"
	build=$(dirname "$T_SO")
	mapfile -t objects < <(find "$build/shim" "$build/config" -name '*.o' 2>/dev/null)
	[ ${#objects[@]} -gt 20 ] || t_skip "the library's objects are not here"
	"$CC" -std=gnu11 -O1 -g -fPIC -fvisibility=hidden -I"$T_ROOT" -shared -o "$T_WORK/lib$isa.so" \
		-Wl,-soname,libpmemshim.so -Wl,--wrap=cpu_judge \
		-Wl,--version-script="$build/libpmemshim.map" \
		"${objects[@]}" "$T_ROOT/tests/preload/copy_every.lib.c" ||
		t_fail "no library for $isa"
	t_cc copy_every copy_every.c -O1 -fno-tree-loop-distribute-patterns
	export T_ISA=$isa
	T_PRELOAD=$T_WORK/lib$isa.so
	T_TRACE=''
	for copy in nt cached; do
		least=50000
		unset T_ALIGNMENTS
		# The cached copies are libc's at any alignment.
		if [ $copy = nt ]; then export T_ALIGNMENTS=all least=400000; fi
		T_KEYS=refresh=0,copy_min=200,copy=$copy
		t_judge copy_every
		[ "$(cat "$T_WORK/shim.status")" = 0 ] || t_fail "$(head -n 1 "$T_WORK/shim.out")"
		[ "$(t_count "$(t_counter copies)")" -ge $least ] ||
			t_fail "only $(t_count "$(t_counter copies)") copies were the shim's"
		echo "$isa, copy=$copy: $(tail -n 1 "$T_WORK/shim.out"), $(t_count "$(t_counter copies)") by the shim"
	done
}
