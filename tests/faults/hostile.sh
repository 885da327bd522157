#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# hostile.sh HOST SHIM: the program of faults.c where /proc and /sys are missing
# or say what no kernel says, in a mount namespace of its own. Its output must
# be that of the bare run in the same place, and no msync may be lost.
# Ends in "hostile: N passed, N failed, N skipped".
set -uo pipefail

host=$1 so=$2
passed=0 failed=0
self=$(readlink -f "$0")

# Inside: world NAME prepares it, then the program is run.
no_proc() { mount -t tmpfs none /proc; }
no_sys() { mount -t tmpfs none /sys; }

# The real /proc, with another table of mounts for this process.
mountinfo() {
	cat >"$scratch/mountinfo"
	mount --bind "$scratch/mountinfo" "/proc/$$/mountinfo"
}
line() { echo "36 35 0:99 / $1 rw - tmpfs tmpfs rw,dax=always"; }
repeat() { head -c "$2" /dev/zero | tr '\0' "$1"; }

# A device directory for the file system of the data, in place of /sys.
device() {
	mount -t tmpfs none /sys
	where=/sys/dev/block/$(stat -c %Hd:%Ld "$data")
	mkdir -p "$where"
}

world() {
	case $1 in
	plain) ;;
	no-proc) no_proc ;;
	no-sys) no_sys ;;
	neither) no_sys && no_proc ;;
	proc-of-files) no_proc && mkdir -p /proc/self && line "$data" >/proc/self/mountinfo ;;
	proc-of-directories) no_proc && mkdir -p /proc/self/mountinfo /proc/thread-self/fd/{3,4,5,6} ;;
	proc-elsewhere) # each descriptor leads to another file
		no_proc && mkdir -p /proc/thread-self/fd
		for i in 0 1 2 3 4 5 6 7 8; do ln -s "$data/wrong" /proc/thread-self/fd/$i; done
		echo wrong >"$data/wrong" ;;
	proc-in-a-circle)
		no_proc && ln -s self /proc/self && ln -s thread-self /proc/thread-self ;;
	mounts-empty) mountinfo </dev/null ;;
	mounts-endless-line) { echo -n "36 35 0:99 / /"; repeat a 100000; echo " rw - tmpfs tmpfs rw,dax=always"; line "$data"; } | mountinfo ;;
	mounts-endless-options) { echo -n "36 35 0:99 / $data rw - tmpfs tmpfs rw"; repeat , 100000; echo dax=always; } | mountinfo ;;
	mounts-without-end) line "$data" | tr -d '\n' | mountinfo ;;
	mounts-of-nulls) { repeat '\0' 5000; line "$data"; } | mountinfo ;;
	mounts-of-noise) { head -c 100000 /bin/bash; line "$data"; } | mountinfo ;;
	mounts-cut) line "$data" | head -c 30 | mountinfo ;;
	mounts-many) { for ((i = 0; i < 3000; i++)); do line "$data/$i"; done; } | mountinfo ;;
	domain-directory) device && mkdir "$where/persistence_domain" ;;
	domain-empty) device && : >"$where/persistence_domain" ;;
	domain-noise) device && head -c 1000000 /bin/bash >"$where/persistence_domain" ;;
	domain-nearly) device && echo cpu_cache_not >"$where/persistence_domain" ;;
	domain-null) device && printf 'cpu\0cache\n' >"$where/persistence_domain" ;;
	domain-long) device && { repeat c 5000; echo; } >"$where/persistence_domain" ;;
	domain-circle) device && ln -s persistence_domain "$where/persistence_domain" ;;
	slaves-circle) device && ln -s . "$where/slaves" && echo cpu_cache >"$where/persistence_domain" ;;
	slaves-many) device && mkdir "$where/slaves" && (cd "$where/slaves" && seq 2000 | xargs mkdir) ;;
	slaves-long) device && mkdir -p "$where/slaves/$(repeat s 250)/slaves/$(repeat t 250)" ;;
	*) return 1 ;;
	esac
}

worlds=(plain no-proc no-sys neither proc-of-files proc-of-directories
	proc-elsewhere proc-in-a-circle mounts-empty mounts-endless-line
	mounts-endless-options mounts-without-end mounts-of-nulls mounts-of-noise
	mounts-cut mounts-many domain-directory domain-empty domain-noise
	domain-nearly domain-null domain-long domain-circle slaves-circle
	slaves-many slaves-long)

if [ "${3-}" = inside ]; then
	data=$4 scratch=$5
	world "$6" || exit 99
	export T_FILES=$data
	[ "$7" = bare ] || export LD_PRELOAD=$so PMEMSHIM_STATS=$scratch/stats \
		PMEMSHIM_PATHS="auto;$data,mode=flush,refresh=0,copy_min=256,assume_pmem=yes"
	exec "$host"
fi

scratch=$(mktemp -d)
data=$(mktemp -d -p /dev/shm pmemshim-hostile.XXXXXX)
trap 'rm -rf "$scratch" "$data"' EXIT
unshare=(unshare -m)
((EUID == 0)) || unshare=(unshare -rm)
if ! "${unshare[@]}" mount -t tmpfs none /sys 2>/dev/null; then
	echo "hostile: no mount namespaces here"
	echo "hostile: 0 passed, 0 failed, ${#worlds[@]} skipped"
	exit
fi

try() { # WORLD WHO
	rm -rf "${data:?}"/* "$scratch"/stats*
	timeout -s KILL 30 "${unshare[@]}" "$self" "$host" "$so" inside "$data" \
		"$scratch" "$1" "$2" >"$scratch/$2.out" 2>"$scratch/$2.err"
	echo "status $?" >>"$scratch/$2.out"
}

judge() {
	try "$1" bare
	try "$1" shim
	# Without /proc nothing is known of what is left there.
	sed -i '/^left(/d' "$scratch"/{bare,shim}.out
	grep -q '^status 42' "$scratch/bare.out" || {
		echo "the bare run: $(tail -n 1 "$scratch/bare.out") $(tail -n 1 "$scratch/bare.err")"
		return 1
	}
	diff "$scratch/bare.out" "$scratch/shim.out" >"$scratch/diff" || {
		sed -n '2p;$p' "$scratch/diff"
		return 1
	}
	! grep -v '^libpmemshim: ' "$scratch/shim.err" || return 1
	[ "$(wc -l <"$scratch/shim.err")" -le 4 ] || { echo "more than four warnings"; return 1; }
	"${so%/*}/pmemshim" stat "$scratch/stats" >"$scratch/words" 2>/dev/null
	case $1 in
	*proc* | neither) # nobody knows the file's name: all is the kernel's
		! grep -q 'persisted from user space' "$scratch/words" ||
			{ echo "persisted without knowing the file"; return 1; } ;;
	*) grep -q 'persisted from user space' "$scratch/words" ||
		{ echo "nothing was persisted"; return 1; } ;;
	esac
}

for name in "${worlds[@]}"; do
	if said=$(judge "$name"); then
		((passed++))
	else
		((failed++))
		echo "FAIL hostile $name: $said"
	fi
done
echo "hostile: $passed passed, $failed failed, 0 skipped"
((failed == 0))
