# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Nothing is configured: the DAX mount is found in the mount table, a bind
# mount of it elsewhere too, and nothing that is not DAX.

stats=$T_OUT/auto
mkdir -p "$stats"/{dax,bind,tmpfs,off}

# persisted WHERE FILE: is it tracked, under which rule?
run() {
	t_shim "PMEMSHIM_STATS=$stats/$1" "$T_BIN/persist" "$2" 20 0 >/dev/null
}

tracked() {
	run "$1" "$2" || t_say "persist: status $?" || return
	[ "$(t_count "$stats/$1" 'mappings granted')" = 1 ] ||
		t_say "no mapping was granted" || return
	[ "$(t_count "$stats/$1" 'msync persisted')" -ge 10 ] ||
		t_say "only $(t_count "$stats/$1" 'msync persisted') of 20 persisted"
}

under_rule() {
	t_stats "$stats/$1" | grep -x "rule $2" ||
		t_say "$(t_stats "$stats/$1" | grep '^rule') instead of rule $2"
}

untracked() {
	run "$1" "$2" || t_say "persist: status $?" || return
	[ "$(t_count "$stats/$1" 'mappings granted')" = 0 ] ||
		t_say 'granted where there is no DAX'
}

t_verdict auto tracked dax "$T_DIR/auto.data"
t_verdict auto-tmpfs untracked tmpfs /dev/shm/auto.data
rm -f /dev/shm/auto.data
if [ "$T_FS" = native ]; then
	t_skip auto-bind 'mounts: in the guest only'
else
	t_verdict auto-rule under_rule dax "$T_DIR"
	mkdir -p "$T_DIR/sub" /mnt/elsewhere
	mount --bind "$T_DIR/sub" /mnt/elsewhere
	t_verdict auto-bind tracked bind /mnt/elsewhere/data
	umount /mnt/elsewhere
fi
