#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The guest itself under test: does it run commands exactly, is its DAX real,
# is its power cut one? About 16 boots. Exit status 0, 1, or 77 when the guest
# is not installed and cannot be. TEST_GUEST_ONLY=WORD runs one group, here; else
# two groups run at a time, each by a process of its own.

# shellcheck disable=SC2317 # groups are called by a name made up at run time

set -uo pipefail

here=$(dirname "$(readlink -f "$0")")
guest=$here/guest
checks=0 failures=0
reported=''

# ok TEXT COMMAND...: the check passes when COMMAND succeeds.
ok() {
	local text=$1
	shift
	checks=$((checks + 1))
	if "$@"; then
		echo "ok $checks - $text"
	else
		failures=$((failures + 1))
		echo "not ok $checks - $text"
	fi
}

is() {
	ok "$1" same "$2" "$3"
}

same() {
	[[ $1 == "$2" ]] || {
		printf '# got:      %s\n# expected: %s\n' "$1" "$2"
		return 1
	}
}

# boot [OPTION...] -- CMD...: runs the guest; leaves $status, $work/out and
# $work/err behind, and shows the errors of a guest that failed unexpectedly.
boot() {
	"$guest" --timeout 300 "$@" </dev/null >"$work/out" 2>"$work/err"
	status=$?
	if ((status >= 123 && status <= 125)); then
		reported=$(<"$work/err")
		sed 's/^/# /' "$work/err"
	fi
}

out() {
	cat "$work/out"
}

# The value of a line NAME=VALUE that the command printed.
value() {
	sed -n "s/^$1=//p" "$work/out"
}

no_guest_left() {
	! grep -lsa "mem-path=$1" /proc/[0-9]*/cmdline
}

no_files_left() {
	[[ -z $(compgen -G "$TMPDIR/guest.*") ]]
}

one_line() {
	[[ $(wc -l <<<"$1") -eq 1 && -n $1 ]]
}

# ------------------------------------------------------------------ scripts
# What runs inside, as files in $work, which the guest sees under that name.

write_scripts() {
	cat >"$work/facts" <<-'END'
		#!/bin/bash
		# The medium, as an unprivileged look at sysfs shows it.
		cat=$(cat /sys/bus/nd/devices/region0/persistence_domain 2>&1)
		echo "domain=${cat##*: }"
		echo "probe=$("${0%/*}/probe" /mnt/pmem/probe)"
		number=$(stat -c '%Hd:%Ld' /mnt/pmem/probe)
		up=$(readlink -f "/sys/dev/block/$number/device")
		until [[ ${up##*/} == region* || -z $up ]]; do up=${up%/*}; done
		echo "region=${up##*/}"
		echo "type=$(grep ' /mnt/pmem ' /proc/mounts | cut -d ' ' -f 3)"
		echo "options=$(grep ' /mnt/pmem ' /proc/mounts | cut -d ' ' -f 4)"
		flags=" $(grep -m1 ^flags /proc/cpuinfo) "
		for flag in clwb clflushopt clflush; do
			[[ $flags != *" $flag "* ]] || echo "$flag=yes"
		done
	END
	cat >"$work/binary" <<-'END'
		import os, sys
		data = bytes(range(256)) * 4096 + b"\r\n\0no newline at the end"
		sys.stdout.buffer.write(data)
		sys.stderr.buffer.write(b"only stderr\n")
		sys.stdout.flush()
		sys.exit(7)
	END
	cat >"$work/surroundings" <<-'END'
		#!/bin/bash
		printf 'argument=%s\n' "$@"
		echo "cwd=$PWD"
		echo "word=$WORD"
		echo "outside=${OUTSIDE-unset}"
		echo "uid=$(id -u)"
		echo "to stderr" >/dev/stderr
		cat <(echo "substitution=works")
		touch "$0.touched" && [ -e "$0.touched" ] && echo "overlay=writable"
		echo shared >/mnt/share/by-mount && echo shared >"$1/by-name"
		python3 -c 'print("python=works")'
		strace -qq -e trace=getppid -o /tmp/trace true && echo "strace=works"
		sleep 1000 &
	END
	chmod +x "$work/facts" "$work/surroundings"
}

# -------------------------------------------------------------------- groups

test_usage() {
	boot --nonsense x -- true
	is "an unknown option is status 125" "$status" 125
	ok "and one line" one_line "$reported"
	boot --fs vfat -- true
	is "an unknown --fs is status 125" "$status" 125
	boot --size 12345 -- true
	is "a bad --size is status 125" "$status" 125
	"$guest" --help >"$work/out"
	ok "--help describes --kill-on" grep -q -- --kill-on "$work/out"
}

test_command() {
	boot -- python3 "$work/binary"
	is "the exit status is the command's" "$status" 7
	python3 "$work/binary" >"$work/expected" 2>"$work/expected.err"
	ok "stdout arrives byte for byte" cmp "$work/out" "$work/expected"
	ok "stderr arrives apart from it" cmp "$work/err" "$work/expected.err"

	mkdir -p "$work/share d,r"
	cd "$work/share d,r" || exit
	OUTSIDE=1 boot --share . --env "WORD=a 'b' \$c" -- \
		"$work/surroundings" "$PWD" $'two words\n"quoted" \\ $HOME *' ''
	cd - >/dev/null || exit
	is "a daemon left behind does not delay the end" "$status" 0
	is "arguments arrive as they were" \
		"$(sed '/^cwd=/,$d' "$work/out")" \
		"$(printf 'argument=%s\n' "$work/share d,r" \
			$'two words\n"quoted" \\ $HOME *' '')"
	is "the directory is the caller's" "$(value cwd)" "$work/share d,r"
	is "--env sets a variable" "$(value word)" "a 'b' \$c"
	is "nothing else is inherited" "$(value outside)" unset
	is "the command is root" "$(value uid)" 0
	is "/dev/stderr can be opened" "$(<"$work/err")" "to stderr"
	is "process substitution works" "$(value substitution)" works
	is "the host's files can be written to" "$(value overlay)" writable
	ok "but that stays in the guest" test ! -e "$work/surroundings.touched"
	is "--share writes through under its own name" \
		"$(cat "$work/share d,r/by-name")" shared
	is "and under /mnt/share" "$(cat "$work/share d,r/by-mount")" shared
	is "python3 runs" "$(value python)" works
	is "strace runs" "$(value strace)" works
}

test_dax() {
	local fs domain attribute

	for fs in ext4:adr:memory_controller xfs:eadr:cpu_cache \
		ext4:eadr:cpu_cache xfs:adr:memory_controller; do
		IFS=: read -r fs domain attribute <<<"$fs"
		boot --fs "$fs" --domain "$domain" -- "$work/facts"
		is "$fs $domain: MAP_SYNC is granted" \
			"$(value probe)" "dax=yes sync=granted"
		is "$fs $domain: persistence_domain" "$(value domain)" "$attribute"
		is "$fs $domain: the mount leads up to its region" \
			"$(value region)" region0
		is "$fs $domain: the mount is $fs" "$(value type)" "$fs"
		is "$fs $domain: the processor has CLWB" "$(value clwb)" yes
	done
}

# Booted only where it has been installed.
test_kernel() {
	local cache=${PMEMSHIM_GUEST_CACHE:-$here/../../build/guest}

	boot --kernel mine -- true
	is "another --kernel is status 125" "$status" 125
	[[ -e $cache/kernel-backports/version ]] || return 0
	boot --kernel backports -- bash -c 'uname -r
		findmnt -n -o OPTIONS /mnt/pmem'
	ok "the kernel of the backports boots" \
		grep -qxF "$(<"$cache/kernel-backports/version")" "$work/out"
	ok "and gives DAX" grep -q dax=always "$work/out"
}

test_no_dax() {
	boot --fs ext4-nodax --domain none -- "$work/facts"
	is "ext4-nodax: MAP_SYNC is refused" \
		"$(value probe)" "dax=no sync=EOPNOTSUPP"
	is "domain none: persistence_domain is absent" \
		"$(value domain)" "No such file or directory"

	boot --fs virtio-pmem -- "$work/facts"
	is "virtio-pmem: DAX, yet MAP_SYNC is refused" \
		"$(value probe)" "dax=yes sync=EOPNOTSUPP"
	ok "virtio-pmem: the mount is a DAX mount" \
		grep -q '^options=.*dax=always' "$work/out"

	boot --fs xfs-inode -- bash -c "mkdir /mnt/pmem/dax
		xfs_io -c 'chattr +x' /mnt/pmem/dax
		echo plain=\$($work/probe /mnt/pmem/f)
		echo marked=\$($work/probe /mnt/pmem/dax/f)"
	is "xfs-inode: an ordinary file is not DAX" \
		"$(value plain)" "dax=no sync=EOPNOTSUPP"
	is "xfs-inode: a file marked +x is" \
		"$(value marked)" "dax=yes sync=granted"
}

test_devdax() {
	boot --fs devdax -- bash -c "echo kind=\$(stat -c %F /dev/dax0.0)
		echo probe=\$($work/probe /dev/dax0.0)
		cat /sys/bus/nd/devices/region0/persistence_domain"
	is "devdax: /dev/dax0.0 is a device" "$(value kind)" \
		"character special file"
	ok "devdax: it can be mapped and written" \
		grep -q '^probe=.*sync=granted$' "$work/out"
}

test_cpu() {
	boot --cpu max,-la57,-clwb -- "$work/facts"
	is "a processor without CLWB" \
		"$(value clwb) $(value clflushopt) $(value clflush)" " yes yes"
	is "has DAX" "$(value probe)" "dax=yes sync=granted"
	boot --cpu max,-la57,-clwb,-clflushopt -- "$work/facts"
	is "a processor without CLFLUSHOPT either" \
		"$(value clwb) $(value clflushopt) $(value clflush)" "  yes"
	is "has DAX" "$(value probe)" "dax=yes sync=granted"
}

test_power() {
	local image=$work/image

	boot --image "$image" --kill-on "now cut" -- bash -c '
		echo synced >/mnt/pmem/synced; sync /mnt/pmem/synced
		echo early >/mnt/pmem/early
		echo "... now cut the power"; sleep 1000'
	is "--kill-on ends the machine with status 0" "$status" 0
	is "what was printed before arrives" "$(out)" "... now cut the power"
	ok "no guest is left behind" no_guest_left "$image"

	boot --image "$image" -- bash -c 'cd /mnt/pmem && cat synced
		[ ! -e early ] || cat early
		echo unmounted >unmounted'
	is "after the power cycle, what was synced is there, the rest is not" \
		"$(out)" synced

	boot --image "$image" --no-unmount -- bash -c 'cd /mnt/pmem && cat unmounted
		echo late >late'
	is "an ordinary end unmounts: unsynced data is kept" "$(out)" unmounted
	is "--no-unmount passes the status on" "$status" 0

	boot --image "$image" --kill-on "never printed" -- bash -c \
		'ls /mnt/pmem/late; exit 5'
	is "--no-unmount does not: unsynced data is lost" "$(out)" ""
	is "a --kill-on text that never came is status 123" "$status" 123

	boot --image "$image" --renew -- ls /mnt/pmem
	is "--renew makes the medium anew" "$(out)" "lost+found"
}

test_failures() {
	local image=$work/failing

	"$guest" --timeout 12 --image "$image" -- sleep 1000 \
		>"$work/out" 2>"$work/err"
	is "a timeout is status 124" "$?" 124
	ok "and one line" one_line "$(<"$work/err")"
	ok "and leaves no guest behind" no_guest_left "$image"

	boot --image "$image" --fs xfs -- true
	is "a medium that cannot be mounted is status 125" "$status" 125
	ok "and the line says so" grep -q "cannot mount /dev/pmem0" "$work/err"

	boot --console "$work/console" -- sh -c 'echo c >/proc/sysrq-trigger'
	is "a panic is status 125" "$status" 125
	ok "and the line says so" grep -q "kernel panicked" "$work/err"
	ok "and names the console's log" grep -q "$work/console" "$work/err"

	boot --qemu-arg -nonsense -- true
	is "a QEMU that does not start is status 125" "$status" 125
	ok "and the line says why" grep -q "nonsense" "$work/err"

	boot -- no-such-command
	is "a command that does not exist is status 127" "$status" 127
}

# A signal to the script must take the machine with it.
test_signals() {
	local image=$work/signalled pid signal

	for signal in TERM KILL; do
		"$guest" --image "$image" -- sleep 1000 2>/dev/null &
		pid=$!
		until grep -lsa "mem-path=$image" /proc/[0-9]*/cmdline >/dev/null; do
			sleep 0.1
			kill -0 "$pid" 2>/dev/null || break
		done
		ok "a guest runs, to be stopped by $signal" kill -"$signal" "$pid"
		# What timeout(1) does: once to the process, once to its group.
		kill -"$signal" "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
		sleep 0.5
		ok "$signal leaves no guest behind" no_guest_left "$image"
		[[ $signal == KILL ]] ||
			ok "$signal leaves no files behind" no_files_left
	done
}

prepare() {
	if [[ $EUID -ne 0 ]] && ! sudo -n true 2>/dev/null; then
		"$guest" --timeout 60 -- true 2>/dev/null || {
			echo "1..0 # SKIP the guest is not installed, and no root here"
			exit 77
		}
	else
		"$guest" --install || exit
	fi
	work=$(mktemp -d) || exit
	trap 'rm -rf "$work"' EXIT
	export TMPDIR=$work
	gcc -O1 -Wall -o "$work/probe" "$here/probe.c" || exit
	write_scripts
}

prepare
if [[ -n ${TEST_GUEST_ONLY-} ]]; then
	"test_$TEST_GUEST_ONLY"
	echo "1..$checks"
	exit $((failures != 0 || checks == 0))
fi
groups=(power command dax kernel no_dax devdax cpu failures signals usage)
for group in "${groups[@]}"; do
	while [[ $(jobs -rp | wc -l) -ge 2 ]]; do wait -n; done
	TEST_GUEST_ONLY=$group "$0" >"$work/group.$group" 2>&1 &
done
wait
for group in "${groups[@]}"; do
	sed "s/^\(ok\|not ok\) [0-9]* - /\1 $group: /" "$work/group.$group"
	# One that ended before it could say so is a failure.
	grep -q '^1\.\.[1-9]' "$work/group.$group" || echo "not ok $group: no end"
done | tee "$work/all"
checks=$(grep -c '^ok ' "$work/all")
failures=$(grep -c '^not ok ' "$work/all")
echo "machine: $checks passed, $failures failed, 0 skipped"
exit $((failures != 0))
