# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# pmemshim probe takes whatever a path can be, and errors are one line each
. "$T_ROOT/tests/support/t_cli.sh"

dir=$T_DATA/db
mkdir -p "$dir/sub"
export PMEMSHIM_PATHS=$dir,assume_pmem=yes PMEMSHIM_LOG=error
echo data >"$dir/file"

# Nothing there: an error where there is no directory either.
t_cli 2 probe "$dir/none/file"
t_one_line
t_says err "$dir/none/file: No such file or directory"
t_cli 2 probe "$dir/none/"
t_one_line
t_cli 2 probe "$dir/file/x"
t_one_line
t_says err 'Not a directory'
t_cli 2 probe ''
t_one_line
t_cli 2 probe --no-such-option
t_one_line

# An error does not keep the others from being looked at.
t_cli 2 probe --no-cost "$dir/none/file" "$dir/file"
t_one_line
t_says out "$dir/file: persisted"

# A FIFO is not waited for; a socket and devices are not opened.
mkfifo "$dir/fifo"
t_cli 1 probe "$dir/fifo" /dev/null
t_says out "$dir/fifo: left to the kernel: a FIFO cannot be mapped"
t_says out '/dev/null: left to the kernel: a character device that is not device-DAX'
block=$(find /dev -maxdepth 1 -type b 2>/dev/null | head -n 1)
if [ -n "$block" ]; then
	t_cli 1 probe "$block"
	t_says out "$block: left to the kernel: a block device is mapped through the page cache"
fi

# Links lead to the file, the one that is there and the one that would be.
ln -s db "$T_DATA/link"
ln -s "$dir/file" "$T_DATA/to-file"
ln -s db/sub/later "$T_DATA/dangling"
t_cli 0 probe --no-cost "$T_DATA/link/file" "$T_DATA/to-file" "$T_DATA/dangling"
t_says out "$dir/file: persisted"
t_says out "$dir/sub/later: persisted"
t_says out "  path           $T_DATA/dangling (new file)"
ln -s loop "$T_DATA/loop"
t_cli 2 probe "$T_DATA/loop"
t_one_line

# Relative, and with dots.
(cd "$dir/sub" && t_cli 0 probe --no-cost ../file . new) || exit 1
t_says out "$dir/file: persisted"
t_says out "$dir/sub: persisted"
t_says out "$dir/sub/new: persisted"

# A file that nobody can map, and one that this user cannot read.
t_cli 1 probe --no-cost /proc/self/status
t_says out 'mmap fails (No such device): such a file cannot be mapped'
if [ "$(id -u)" = 0 ]; then
	chmod 600 "$dir/file"
	setpriv --reuid 65534 --clear-groups "$T_CLI" probe "$dir/file" \
		>"$T_WORK/out" 2>"$T_WORK/err"
	[ $? = 2 ] || t_fail 'an unreadable file is no error'
	t_one_line
	t_says err 'Permission denied'
fi

# No PATH: every DAX mount, or how to make one.
if ! grep -q dax /proc/self/mountinfo && ! grep -qs 1 /sys/block/*/queue/dax; then
	t_cli 1 probe
	t_says out 'no DAX mount here'
	t_says out 'mount -o dax'
fi
