# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# pmemshim probe says what the file system, its mount and its device are
. "$T_ROOT/tests/support/t_cli.sh"

export PMEMSHIM_PATHS=$T_WORK
t_need unshare util-linux
unshare -rm true 2>/dev/null || t_skip 'no mount namespace can be had here'

# inside COMMAND...: in a mount namespace of its own, with $T_WORK/m to mount on.
mkdir -p "$T_WORK/m"
cat >"$T_WORK/inside" <<'END'
set -e
cd "$T_WORK"
eval "$1"
shift
"$T_CLI" "$@" >out 2>err
END
probe_after() {
	local status=$1
	shift
	unshare -rm bash "$T_WORK/inside" "$@"
	[ $? = "$status" ] || { cat "$T_WORK/out" "$T_WORK/err"; t_fail "$*: not status $status"; }
}

probe_after 1 'mount -t tmpfs -o size=1M,mode=700 "a name" m; touch m/f' probe --no-cost m/f
t_says out "file system    tmpfs on $T_WORK/m (a name), blocks of 4096 bytes"
t_says out 'size=1024k'
t_says out 'left to the kernel: tmpfs has no DAX'
t_says out 'MAP_SYNC       refused (Operation not supported)'

# A mount that hides another one, and a mount point with a space in it.
mkdir -p "$T_WORK/a space"
probe_after 1 'mount -t tmpfs one "a space"; mount -t tmpfs two "a space"' probe --no-cost "$T_WORK/a space"
t_says out "file system    tmpfs on $T_WORK/a space (two)"

# One file mounted over another: its directory is elsewhere, and nothing of it
# is measured there.
probe_after 1 'mount -t tmpfs x m; echo a >m/f; touch over; mount --bind m/f over' probe over
t_says out "file system    tmpfs on $T_WORK/over (x)"
t_says out 'not measured: the file'"'"'s directory is on another file system'

# A full file system: no cost, no crash.
probe_after 1 'mount -t tmpfs -o size=8k x m; echo a >m/f; head -c 8k /dev/zero >m/g || :' probe m/f
t_says out 'msync 4 KiB    not measured: the temporary file cannot be used (No space left on device)'

# An overlay: which layer (a colon in a layer's name is escaped), and what the file is there.
# shellcheck disable=SC2016 # expanded in the namespace
layers='mount -t tmpfs x m; mkdir m/{lower,low:2,upper,work,all}; echo l >m/lower/low; echo 2 >m/low:2/deep; echo b >m/lower/both; echo u >m/upper/both; mount -t overlay -o lowerdir=$PWD/m/low\\:2:$PWD/m/lower,upperdir=$PWD/m/upper,workdir=$PWD/m/work,userxattr o m/all'
if unshare -rm bash -c "cd '$T_WORK' && $layers" 2>/dev/null; then
	probe_after 1 "$layers" probe --no-cost m/all/both
	t_says out "overlayfs passes no MAP_SYNC on; the file lies in the upper layer, $T_WORK/m/upper/both, where it is not DAX"
	probe_after 1 "$layers" probe --no-cost m/all/low
	t_says out "the file lies in the lower layer, $T_WORK/m/lower/low, where"
	probe_after 1 "$layers" probe --no-cost m/all/deep
	t_says out "the file lies in the lower layer, $T_WORK/m/low:2/deep, where"
	probe_after 1 "$layers" probe --no-cost m/all/new
	t_says out "new files are made in the upper layer, $T_WORK/m/upper, where"
	# What is at the layer's path now is another file.
	probe_after 1 "$layers; mount -t tmpfs y m/upper; sleep 0.01; echo other >m/upper/both" probe --no-cost m/all/both
	t_not_says out 'upper layer'
fi

# The file system that this tree is on, by what other tools say of it.
t_need findmnt util-linux
t_cli 1 probe --no-cost --json "$T_ROOT/Makefile"
t_json "j['paths'][0]['file_system']['mount_point'] == '''$(findmnt -nro TARGET -T "$T_ROOT/Makefile")'''"
t_json "j['paths'][0]['file_system']['type'] == '''$(findmnt -nro FSTYPE -T "$T_ROOT/Makefile")'''"
device=$(findmnt -nro MAJ:MIN -T "$T_ROOT/Makefile")
if [ -e "/sys/dev/block/$device" ]; then
	t_json "j['paths'][0]['device']['name'] == '$(basename "$(readlink "/sys/dev/block/$device")")'"
	if [ "$(cat "/sys/dev/block/$device/queue/dax" 2>/dev/null)" = 0 ]; then
		t_json "j['paths'][0]['reasons'][0]['id'] == 'no-dax-device'"
	fi
fi
