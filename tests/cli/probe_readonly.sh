# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# pmemshim probe does without a temporary file where it can make none
. "$T_ROOT/tests/support/t_cli.sh"

dir=$T_DATA/db
mkdir -p "$dir"
echo data >"$dir/file"
export PMEMSHIM_PATHS=$dir,assume_pmem=yes PMEMSHIM_LOG=error

# as_nobody STATUS ARGUMENT...
if [ "$(id -u)" = 0 ]; then
	t_need setpriv util-linux
	as_nobody() {
		local expected=$1 status
		shift
		setpriv --reuid 65534 --regid 65534 --clear-groups "$T_CLI" "$@" \
			>"$T_WORK/out" 2>"$T_WORK/err"
		status=$?
		[ $status = "$expected" ] || {
			cat "$T_WORK/out" "$T_WORK/err"
			t_fail "pmemshim $*: exit status $status, expected $expected"
		}
	}
else
	chmod a-w "$dir" "$dir/file"
	trap 'chmod u+w "$dir"' EXIT
	as_nobody() { t_cli "$@"; }
fi

# An existing file: mapped for reading, so the answer is there.
as_nobody 0 probe "$dir/file"
t_says out "$dir/file: persisted from user space"
t_says out 'access         read-only for this user'
t_says out 'persist 4 KiB  not measured: no temporary file can be made there (Permission denied)'
t_says out 'msync 4 KiB    not measured: no temporary file can be made there (Permission denied)'

# A directory: tmpfs has no DAX, whoever asks; no need to try.
as_nobody 1 probe "$dir"
t_says out "$dir: left to the kernel: tmpfs has no DAX"
t_says out 'MAP_SYNC       not tried: no temporary file can be made there (Permission denied)'
PMEMSHIM_PATHS=$dir,mode=off as_nobody 1 probe "$dir/new"
t_says out "$dir/new: left to the kernel: the rule for $dir says mode=off"

# A file system that is mounted read-only.
unshare -rm true 2>/dev/null || exit 0
mkdir -p "$T_WORK/m"
cat >"$T_WORK/inside" <<'END'
cd "$T_WORK" && mount -t tmpfs x m && echo data >m/f && mount -o remount,ro m &&
	"$T_CLI" probe m m/f >out 2>err
END
PMEMSHIM_PATHS=$T_WORK,assume_pmem=yes unshare -rm bash "$T_WORK/inside"
status=$?
[ $status = 1 ] || t_fail "read-only mount: exit status $status"
t_says out 'not tried: no temporary file can be made there (Read-only file system)'
t_says out 'm/f: persisted from user space'
t_says out 'mount options  ro,'
