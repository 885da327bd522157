# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# calls=KIND[,KIND...]: what the shim leaves alone it leaves alone entirely:
# the same answers and, between two marks, the same system calls.
#
#   private, anonymous, setuid   not a call more or less
#   read       a PROT_READ mapping on DAX: it is tracked, so the shim needs
#              memory of its own and answers what needs no kernel (MS_ASYNC, bad
#              arguments), but every MS_SYNC reaches the kernel
#   refused    a shared mapping where MAP_SYNC is not to be had: one attempt at
#              most, and looks at the file

work=$T_OUT/calls
mkdir -p "$work"

# between_marks FILE: the calls between the two marks.
between_marks() {
	awk '/^[0-9 ]*getppid/ { inside = !inside; next } inside' "$1"
}

# Addresses are named in the order in which they come.
name_addresses() {
	awk '{
		line = $0; out = ""
		while (match(line, /0x[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]+/)) {
			a = substr(line, RSTART, RLENGTH)
			if (!(a in name)) name[a] = "A" ++n
			out = out substr(line, 1, RSTART - 1) name[a]
			line = substr(line, RSTART + RLENGTH)
		}
		print out line
	}'
}

# trace WHO PROGRAM KIND [STRACE-OPTION...]
trace() {
	local who=$1 program=$2 kind=$3 env=() as=$3
	shift 3
	[ "$who" = bare ] || env=(-E "LD_PRELOAD=$T_SO")
	case $kind in setuid | refused) as=shared ;; esac
	rm -f "$T_DIR/calls.data"
	[ "$kind" != setuid ] || install -m 666 /dev/null "$T_DIR/calls.data"
	strace -qq -e signal=none "${env[@]}" "$@" -o "$work/$kind.$who.trace" \
		"$program" "$as" "$T_DIR/calls.data" \
		>"$work/$kind.$who.out" 2>&1
	echo "status $?" >>"$work/$kind.$who.out"
	between_marks "$work/$kind.$who.trace" >"$work/$kind.$who"
}

# What may differ, taken out: see above.
looks='^(statx|newfstatat|fstat|readlink|readlinkat|clock_gettime|rt_sigprocmask|getrlimit|prlimit64|openat|open|fcntl|close|read|getdents64|lseek|ioctl|gettid)\('

allowed() {
	case $1 in
	read)
		grep -Ev -e "$looks" -e 'mmap\((NULL|0x[0-9a-f]+|A[0-9]+), [0-9]*, PROT_READ.PROT_WRITE, MAP_PRIVATE.MAP_ANONYMOUS' |
			grep -Ev -e 'msync.*(MS_ASYNC|, 0\)|, 0, MS_SYNC|EINVAL|0x80|18446744073709543424)' |
			sed 's/MAP_SHARED_VALIDATE|MAP_SYNC/MAP_SHARED/
				s/^\(msync([^,]*\), [0-9]*, /\1, LENGTH, /' ;;
	refused) grep -Ev -e 'MAP_SYNC.* = -1 EOPNOTSUPP' -e "$looks" ;;
	*) cat ;;
	esac | name_addresses
}

same_calls() {
	local kind=$1

	[ -s "$work/$kind.bare" ] || t_say "the run without the shim made no calls" ||
		return
	grep -q 'status 0' "$work/$kind.bare.out" ||
		t_say "without the shim: $(tail -n 2 "$work/$kind.bare.out" | tr '\n' ' ')" ||
		return
	cmp -s "$work/$kind.bare.out" "$work/$kind.shim.out" ||
		t_say "answers differ: $(diff "$work/$kind.bare.out" \
			"$work/$kind.shim.out" | grep -m1 '^[<>]')" || return
	[ "$(grep -c 'MAP_SYNC.*EOPNOTSUPP' "$work/$kind.shim")" -le 1 ] ||
		t_say "more than one attempt" || return
	allowed "$kind" <"$work/$kind.shim" >"$work/$kind.shim.left"
	allowed "$kind" <"$work/$kind.bare" >"$work/$kind.bare.left"
	cmp -s "$work/$kind.bare.left" "$work/$kind.shim.left" ||
		t_say "calls differ: $(diff "$work/$kind.bare.left" \
			"$work/$kind.shim.left" | grep -m1 '^[<>]')"
}

was_granted() {
	grep -q 'MAP_SYNC.* = 0x' "$work/read.shim.trace" ||
		t_say "a PROT_READ mapping was not asked for with MAP_SYNC"
}

# A set-user-ID program of root's, started by nobody: ld.so drops the preload.
# It takes a library that is set-user-ID itself, named without a slash; then
# the shim is there, and must not believe the environment.
setuid() {
	local program=/dev/shm/calls line
	local library=/usr/lib/x86_64-linux-gnu/libpmemshim.so

	if [ "$T_FS" = native ]; then
		t_skip calls-setuid 'installs a library: in the guest only'
		return
	fi
	install -m 4755 "$T_BIN/calls" "$program"
	mkdir -p /dev/shm/stats && chmod 777 /dev/shm/stats
	chmod 755 "$T_DIR"
	trace bare "$program" setuid -u nobody
	trace shim "$program" setuid -u nobody
	t_verdict calls-setuid same_calls setuid
	grep -q 'uid 0' "$work/setuid.bare.out" ||
		t_bad calls-setuid-real 'the program did not run as root'
	install -m 4755 "$T_SO" "$library"
	line=$(setpriv --reuid nobody --clear-groups env \
		LD_PRELOAD=libpmemshim.so PMEMSHIM_STATS=/dev/shm/stats \
		"$program" shared "$T_DIR/calls.data" 2>&1 | tail -n 1)
	t_verdict calls-setuid-preloaded same_line "$line" \
		"$(grep file: "$work/setuid.bare.out")"
	t_verdict calls-setuid-environment no_statistics /dev/shm/stats
	rm -f "$library"
}

no_statistics() {
	[ -z "$(find "$1" -type f)" ] || t_say 'PMEMSHIM_STATS was believed'
}

same_line() { [ "$1" = "$2" ] || t_say "'$1' instead of '$2'"; }

for kind in ${1//,/ }; do
	case $kind in
	setuid) setuid ;;
	*)
		trace bare "$T_BIN/calls" "$kind"
		trace shim "$T_BIN/calls" "$kind"
		t_verdict "calls-$kind" same_calls "$kind"
		[ "$kind" != read ] || t_verdict calls-read-granted was_granted ;;
	esac
done
