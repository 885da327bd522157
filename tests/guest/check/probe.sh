# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# probe=KIND: pmemshim probe names the true reason on every kind of medium.

cli=$T_BUILD/pmemshim
dir=$T_DIR
said=$T_OUT/probe.$1
mkdir -p "$said"

# probed NAME STATUS ARGUMENT...: keeps what was said, for says.
probed() {
	local status expected=$2
	name=$1
	shift 2
	"$cli" probe "$@" >"$said/$name" 2>&1
	status=$?
	if [ $status = "$expected" ]; then
		t_ok "probe-$name"
	else
		t_bad "probe-$name" "status $status: $(head -n 1 "$said/$name")"
	fi
}

# says NAME TEXT: about the last one that was probed.
says() {
	if grep -qF -- "$2" "$said/$name"; then
		t_ok "probe-$name-$1"
	else
		t_bad "probe-$name-$1" "not '$2': $(head -n 1 "$said/$name")"
	fi
}

silent() {
	if grep -qF -- "$2" "$said/$name"; then
		t_bad "probe-$name-$1" "'$2'"
	else
		t_ok "probe-$name-$1"
	fi
}

domain_and_flush() {
	probed "$1-file" 0 "$dir/file"
	says verdict "$dir/file: persisted from user space (flush $2, copies nt)"
	says rule "rule           $dir (from auto), mode=flush"
	says sync 'MAP_SYNC       granted'
	says domain "domain         $3"
	says flush "flush          $2"
	says persist 'EMULATED CPU: says nothing)'
	silent skipped 'not measured'
	probed "$1-directory" 0 --no-cost "$dir"
	says verdict "$dir: persisted from user space (flush $2"
	probed "$1-new" 0 --no-cost "$dir/new"
	says target '(new file)'
	probed "$1-all" 0 --no-cost
	says mount "$dir: persisted"
	test ! -e "$dir/new" && [ "$(ls "$dir")" = "$before" ]
	t_verdict "probe-$1-nothing-left" test $? = 0
}

# entries FILE LEN [COMMAND...]: the 2 MiB entries that the kernel makes when the
# whole file is stored to, by a program that COMMAND starts.
entries() {
	local tracing=/sys/kernel/tracing file=$1 len=$2
	shift 2
	mountpoint -q $tracing || mount -t tracefs tracefs $tracing
	echo >$tracing/trace
	echo 1 >$tracing/events/fs_dax/dax_pmd_fault_done/enable
	"$@" xfs_io -c "mmap -rw 0 $len" -c "mwrite 0 $len" "$file" >/dev/null
	echo 0 >$tracing/events/fs_dax/dax_pmd_fault_done/enable
	grep -c 'dax_pmd_fault_done.*NOPAGE' $tracing/trace
}

# pages PAGES TOLD: what a rule with pages=PAGES makes of a written file of 8 MiB,
# from the first touch on, and what probe tells of it: no entry of 2 MiB, or all
# that there could be.
pages() {
	local file=$dir/pages-$1 made told expected=0
	xfs_io -f -c 'falloc 0 8m' -c 'pwrite -q 0 8m' "$file"
	told=$(PMEMSHIM_PATHS=$dir,pages=$1 "$cli" probe --no-cost --json "$file" |
		sed -n 's/.*"entries": "\([a-z]*\)".*/\1/p')
	made=$(entries "$file" 8m env LD_PRELOAD="$T_SO" PMEMSHIM_PATHS="$dir,pages=$1")
	[ "$2" = small ] || expected=$("$cli" probe --no-cost --json "$file" |
		sed -n 's/.*"possible": \([0-9]*\).*/\1/p')
	# With MAP_SYNC the first fault commits the journal, and ends as another event.
	if [ "$told" = "$2" ] && [ "$made" -le "$expected" ] &&
		[ "$made" -ge $((expected - (expected > 0))) ]; then
		t_ok "probe-pages-$1"
	else
		t_bad "probe-pages-$1" "told $told, the kernel made $made entries of 2 MiB, not $expected"
	fi
}

huge_pages() {
	local file told made
	xfs_io -f -c 'falloc 0 8m' -c 'pwrite -q 0 8m' "$dir/plain"
	xfs_io -f -c 'falloc 0 24m' -c 'pwrite -q 0 24m' "$dir/large"
	xfs_io -f -c 'pwrite -q 0 4k' -c 'pwrite -q 6m 4m' -c 'pwrite -q 1m 1m' "$dir/holes"
	dd if=/dev/zero of="$dir/odd" bs=1M count=8 2>/dev/null
	# Long extents, but not congruent with their place in the file.
	xfs_io -f -c 'falloc 1m 8m' -c 'pwrite -q 1m 8m' "$dir/shifted"
	for file in plain large holes odd shifted; do
		"$cli" probe --no-cost --json "$dir/$file" >"$said/$file.json"
		told=$(sed -n 's/.*"possible": \([0-9]*\).*/\1/p' "$said/$file.json")
		made=$(entries "$dir/$file" "$(stat -c %s "$dir/$file")")
		# A hole becomes an extent, and perhaps an entry, by the stores.
		if [ "$told" = "$made" ] ||
			{ [ $file = holes ] && [ "$told" -le "$made" ]; }; then
			t_ok "probe-huge-$file"
		else
			t_bad "probe-huge-$file" "told $told, the kernel made $made"
		fi
		echo "$file told $told made $made" >>"$said/huge"
	done
	pages small small
	pages auto small
	pages huge huge
	rm "$dir/plain" "$dir/large" "$dir/holes" "$dir/odd" "$dir/shifted"
}

rules() {
	PMEMSHIM_PATHS=/elsewhere probed dax-no-rule 1 --no-cost "$dir/file"
	says verdict "$dir/file: left to the kernel: no rule of PMEMSHIM_PATHS='/elsewhere' matches"
	says sync 'MAP_SYNC       granted'
	PMEMSHIM_PATHS=$dir,mode=off probed dax-off 1 --no-cost "$dir/file"
	says verdict "left to the kernel: the rule for $dir says mode=off"
	PMEMSHIM_PATHS=$dir,mode=kernel probed dax-kernel 1 "$dir/file"
	says verdict "left to the kernel: the rule for $dir says mode=kernel"
	PMEMSHIM_PATHS=$dir,mode=ab probed dax-ab 0 --no-cost "$dir/file"
	says verdict 'persisted from user space and by the kernel in turns'
	PMEMSHIM_PATHS=$dir,map_sync=require probed dax-require 0 --no-cost "$dir/file"
	PMEMSHIM_PATHS=$dir,assume_pmem=yes probed dax-assume 0 --no-cost "$dir/file"
	says verdict 'persisted from user space (flush clwb'
}

not_dax() {
	probed tmpfs 1 /dev/shm
	says verdict '/dev/shm: left to the kernel: tmpfs has no DAX'
	mkdir -p "$dir"/{upper,work,all}
	echo data >"$dir/upper/file"
	mount -t overlay -o "lowerdir=/dev/shm,upperdir=$dir/upper,workdir=$dir/work" overlay "$dir/all"
	probed overlay 1 "$dir/all/file"
	says verdict "overlayfs passes no MAP_SYNC on; the file lies in the upper layer, $dir/upper/file, where it is DAX"
	says sync 'MAP_SYNC       refused (Operation not supported)'
	probed overlay-new 1 --no-cost "$dir/all/new"
	says verdict "new files are made in the upper layer, $dir/upper, where they are DAX"
	umount "$dir/all"
	# The guest's root is an overlay whose layers are outside of the chroot.
	probed overlay-root 1 --no-cost /etc
	says verdict 'its layers cannot be seen from here'
}

# remount MKFS_OPTIONS DEVICE [OPTIONS]: another file system in place of what
# is mounted.
remount() {
	! mountpoint -q "$dir" || umount "$dir"
	# shellcheck disable=SC2086 # a list of words
	mkfs.ext4 -q -F $1 "$2" &>/dev/null
	mount -t ext4 -o "${3:-defaults}" "$2" "$dir" ||
		t_bad "probe-mount-$2" 'cannot be mounted'
	echo data >"$dir/file"
}

# Partitions: the file system's offset is the partition's, too.
partitioned() {
	umount "$dir"
	printf 'label: gpt\nstart=%s, size=200000\n' "$2" | sfdisk -q /dev/pmem0
	# The advice for aligned files, followed.
	remount '-b 4096 -E stride=512,stripe_width=512' /dev/pmem0p1 dax
	probed "partition-$1" 0 --no-cost "$dir"
	says device 'device         pmem0p1, can do DAX'
	says huge "huge pages     $3"
	umount "$dir"
	wipefs -qa /dev/pmem0
}

# Device-mapper volumes: one of DAX alone, one with a part that has none.
volumes() {
	local plain
	umount "$dir"
	wipefs -qa /dev/pmem0
	modprobe -a dm-mod loop
	dmsetup create --noudevsync whole --table '0 200000 linear /dev/pmem0 2048'
	remount '-b 4096' /dev/dm-0 dax
	probed volume 0 --no-cost "$dir"
	says device 'can do DAX, device-mapper'
	says domain 'domain         memory controller (ADR)'
	says huge 'huge pages     unknown: where'
	umount "$dir"
	dmsetup remove --noudevsync whole
	truncate -s 64M /dev/shm/plain
	plain=$(losetup -f --show /dev/shm/plain)
	printf '0 100000 linear /dev/pmem0 0\n100000 100000 linear %s 0\n' "$plain" |
		dmsetup create --noudevsync mixed
	remount '-b 4096' /dev/dm-0
	PMEMSHIM_PATHS=$dir probed volume-mixed 1 --no-cost "$dir"
	says verdict "is a volume, and its part ${plain#/dev/} has no DAX"
	umount "$dir"
	dmsetup remove --noudevsync mixed
	losetup -d "$plain"
}

# Files that ext4 never makes DAX.
obstacles() {
	local key
	remount '-b 4096 -I 256 -O encrypt,inline_data' /dev/pmem0
	probed inline 1 --no-cost "$dir/file"
	says verdict 'the file is stored inside its inode (inline_data): such files are never DAX'
	modprobe -a sha512_generic hmac xts aes_generic ecb cts cbc
	mkdir "$dir/secret"
	key=$(head -c 64 /dev/urandom | xfs_io -c add_enckey "$dir")
	xfs_io -c "set_encpolicy -v 2 ${key##* }" "$dir/secret"
	probed encrypted 1 --no-cost "$dir/secret"
	says verdict 'a new file there is encrypted: such files are never DAX'
}

nodax() {
	probed ext4-nodax 1 "$dir/file"
	says verdict "$dir/file: left to the kernel: ext4 mounted without dax, and this file has no DAX flag"
	says todo 'then mount -o dax'
	probed ext4-nodax-directory 1 --no-cost "$dir"
	says verdict "$dir: left to the kernel: ext4 mounted without dax"
	says todo "xfs_io -c 'chattr +x' $dir"
	# ext4 heeds the flag only without delayed allocation. (With DAX in force
	# it cannot be set.)
	touch "$dir/journalled"
	chattr +j "$dir/journalled"
	probed journalled-nodax 1 --no-cost "$dir/journalled"
	says verdict 'left to the kernel: ext4 mounted without dax'
	umount "$dir"
	mount -o dax /dev/pmem0 "$dir"
	probed unheeded 0 --no-cost "$dir/journalled"
	umount "$dir"
	mount -o dax,nodelalloc /dev/pmem0 "$dir"
	probed journalled 1 --no-cost "$dir/journalled"
	says verdict 'written through the journal (chattr +j): such files are never DAX'
	umount "$dir"
	mount /dev/pmem0 "$dir"
	# What was advised helps.
	mkdir "$dir/flagged"
	xfs_io -c 'chattr +x' "$dir/flagged"
	probed ext4-flagged 0 --no-cost "$dir/flagged"
	obstacles
	remount '-b 1024' /dev/pmem0
	probed block-size 1 --no-cost "$dir/file"
	says verdict 'ext4 with blocks of 1024 bytes has no DAX'
	remount '-b 4096' /dev/pmem0 dax=never
	PMEMSHIM_PATHS=$dir probed never 1 --no-cost "$dir/file"
	says verdict "$dir is mounted with dax=never"
	remount '-b 4096' /dev/pmem0
	partitioned even 4096 '2 of 2 blocks of 2 MiB of a new file'
	partitioned odd 2048 'none: the file system starts 1024 KiB after a multiple of 2 MiB'
	volumes
	modprobe nd_btt 2>/dev/null
	ndctl create-namespace -f -e namespace0.0 -m sector &>/dev/null
	remount '-b 4096' /dev/pmem0s
	PMEMSHIM_PATHS=$dir probed sector 1 --no-cost "$dir/file"
	says verdict 'a namespace in sector mode, which has no DAX'
	says todo 'ndctl create-namespace -f -e namespace0.0 -m fsdax'
	umount "$dir"
	ndctl create-namespace -f -e namespace0.0 -m raw &>/dev/null
	remount '-b 4096' /dev/pmem0
	PMEMSHIM_PATHS=$dir probed raw 1 --no-cost "$dir/file"
	says verdict 'a namespace in raw mode, which has no DAX'
}

inode() {
	probed inode-file 1 "$dir/file"
	says verdict "$dir/file: left to the kernel: xfs, dax=inode, and this file has no DAX flag"
	says todo "xfs_io -c 'chattr +x' on an empty file sets it"
	probed inode-directory 1 --no-cost "$dir"
	says verdict "$dir: left to the kernel: xfs, dax=inode, and the directory has no DAX flag that new files would inherit"
	probed inode-new 1 --no-cost "$dir/new"
	says todo "xfs_io -c 'chattr +x' $dir"
	touch "$dir/marked"
	xfs_io -c 'chattr +x' "$dir/marked"
	probed inode-marked 0 "$dir/marked"
	says verdict "$dir/marked: persisted from user space"
	says flag 'DAX            yes, DAX flag set'
	# Neighbours of this file are not DAX: nothing to measure on.
	says cost 'not measured: a temporary file in its directory is not of the same kind'
	mkdir "$dir/dax"
	xfs_io -c 'chattr +x' "$dir/dax"
	touch "$dir/dax/file"
	probed inode-inherited 0 "$dir/dax/file" "$dir/dax" "$dir/dax/new"
	silent skipped 'not measured'
	exec 9<"$dir/file"
	xfs_io -c 'chattr +x' "$dir/file"
	probed inode-pending 1 --no-cost "$dir/file"
	says verdict 'the DAX flag is set, but the inode was in memory before it was'
	exec 9<&-
	echo 2 >/proc/sys/vm/drop_caches
	probed inode-pending-over 0 --no-cost "$dir/file"
}

virtio() {
	probed virtio-pmem 1 "$dir/file"
	says verdict "$dir/file: left to the kernel: pmem0 is virtio-pmem, which is asynchronous"
	says dax 'DAX            yes'
	says sync 'MAP_SYNC       refused (Operation not supported)'
	says region 'of virtio-pmem'
	PMEMSHIM_PATHS=$dir,map_sync=require probed virtio-require 1 --no-cost "$dir/file"
	says verdict 'mmap fails (Operation not supported): map_sync=require, but pmem0 is virtio-pmem'
}

device() {
	PMEMSHIM_PATHS=/dev/dax0.0 probed device 0 /dev/dax0.0
	says verdict '/dev/dax0.0: persisted from user space (flush clwb, copies nt)'
	says namespace 'namespace0.0, devdax'
	says huge 'huge pages     yes'
	probed device-no-rule 1 --no-cost /dev/dax0.0
	says verdict '/dev/dax0.0: left to the kernel: no rule'
	says todo "PMEMSHIM_PATHS='/dev/dax0.0'"
	probed device-none 1
	says none 'no DAX mount here'
}

[ "$1" = device ] || echo data >"$dir/file"
before=$(ls "$dir")
case $1 in
adr)
	domain_and_flush adr clwb 'memory controller (ADR): caches are flushed'
	huge_pages
	rules
	not_dax
	;;
eadr) domain_and_flush eadr none 'CPU caches (eADR): nothing has to be flushed' ;;
nodax) nodax ;;
inode) inode ;;
virtio-pmem) virtio ;;
device) device ;;
esac
