# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# pmemshim probe changes no file and leaves none behind, even when it is killed
. "$T_ROOT/tests/support/t_cli.sh"

dir=$T_DATA/db
mkdir -p "$dir"
export PMEMSHIM_PATHS=$dir,assume_pmem=yes PMEMSHIM_LOG=error
# Nothing is written for PMEMSHIM_STATS either: no program ran.
export PMEMSHIM_STATS=$T_WORK/stats
head -c 5000000 /dev/urandom >"$dir/file"
touch -d '2001-01-01' "$dir/file"

look() {
	stat -c '%n %i %s %b %a %x %y %z' "$dir" "$dir/file"
	find "$dir" "$T_WORK/stats" 2>/dev/null
	md5sum <"$dir/sum"
}
cp "$dir/file" "$dir/sum"
# The first one moves the directory's own access time.
look >/dev/null
before=$(look)
t_cli 0 probe "$dir/file" "$dir" "$dir/new"
t_says out 'by the kernel'
[ "$before" = "$(look)" ] || t_fail "changed: $(diff <(echo "$before") <(look))"
cmp -s "$dir/file" "$dir/sum" || t_fail 'the contents changed'

# The same for a file on a disk, whose access time a mapping could move.
mkdir "$T_WORK/disk"
echo data >"$T_WORK/disk/file"
touch -d '2001-01-01' "$T_WORK/disk/file"
stamps() { stat -c '%x %y %z %s' "$T_WORK/disk/file"; }
before=$(stamps)
t_cli 1 probe "$T_WORK/disk/file"
[ "$before" = "$(stamps)" ] || t_fail "on disk: $before became $(stamps)"

# Seen from outside: every open but that of a temporary file only reads, and
# what is mapped for writing is the temporary file.
t_need strace strace
strace -f -y -o "$T_WORK/trace" "$T_CLI" probe "$dir/file" "$dir" "$dir/new" \
	>"$T_WORK/out" 2>"$T_WORK/err" || t_fail 'strace'
grep -c O_TMPFILE "$T_WORK/trace" | grep -qx 3 || t_fail 'not three temporary files'
bad=$(grep -E 'O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)' "$T_WORK/trace" |
	grep -vE 'O_TMPFILE|/dev/(null|tty)')
[ -z "$bad" ] || t_fail "opened for writing: $bad"
bad=$(grep -E '(truncate|fallocate|write|pwrite64|unlink|rename|link|chmod|ioctl|mmap)\(.*db/file' "$T_WORK/trace" |
	grep -vE 'mmap\(.*PROT_(NONE|READ), MAP_SHARED|FS_IOC_(FSGETXATTR|GETFLAGS|FIEMAP)')
[ -z "$bad" ] || t_fail "done to the file: $bad"

# Killed at any moment. Nothing has a name, so nothing can stay.
for delay in 0.005 0.01 0.02 0.05; do
	"$T_CLI" probe "$dir" "$dir/new" "$dir/file" >/dev/null 2>&1 &
	sleep "$delay"
	kill -KILL $! 2>/dev/null
	wait $! 2>/dev/null
done
[ "$(cd "$dir" && echo ./*)" = './file ./sum' ] || t_fail "left behind: $(ls "$dir")"
