# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# medium=KIND: who is tracked on the kinds of medium that are not plain DAX.

stats=$T_OUT/medium
mkdir -p "$stats"/{plain,marked,device}

run() {
	t_shim "PMEMSHIM_STATS=$stats/$1" "$T_BIN/persist" "$2" 20 3000 ||
		t_say "status $?"
}

counted() {
	local got

	got=$(t_count "$stats/$1" "$3")
	test "$got" "$2" "$4" || t_say "'$3': $got, not $2 $4"
}

# xfs with dax=inode: DAX is a property of the file.
inode() {
	mkdir -p "$T_DIR/dax"
	xfs_io -c 'chattr +x' "$T_DIR/dax"
	t_verdict inode-plain run plain "$T_DIR/plain"
	t_verdict inode-plain-refused counted plain -eq 'mappings refused: not a DAX' 1
	t_verdict inode-plain-kernel counted plain -eq 'msync persisted' 0
	t_verdict inode-marked run marked "$T_DIR/dax/file"
	t_verdict inode-marked-granted counted marked -eq 'mappings granted' 1
	t_verdict inode-marked-persisted counted marked -ge 'msync persisted' 10
}

# A device: no file; the kernel refuses its msync. It is in no mount table, so
# it takes a rule of its own.
device() {
	PMEMSHIM_PATHS=/dev/dax0.0 t_verdict device run device /dev/dax0.0
	t_verdict device-tracked counted device -eq 'mappings of a device-DAX' 1
	t_verdict device-persisted counted device -eq 'msync persisted' 20
	t_verdict device-kernel counted device -eq 'msync by the kernel' 0
	t_verdict device-copies counted device -ge 'copies and sets' 20
}

# virtio-pmem is DAX, and refuses MAP_SYNC; ext4 without DAX is neither.
refused() {
	t_verdict "$1" run plain "$T_DIR/plain"
	t_verdict "$1-refused" counted plain -eq 'mappings refused' 1
	t_verdict "$1-kernel" counted plain -eq 'msync persisted' 0
}

case $1 in
inode) inode ;;
device) device ;;
*) refused "$1" ;;
esac
