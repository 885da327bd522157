#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# make install below DESTDIR, a program run with what was installed, make
# uninstall: nothing is left and nothing was written elsewhere.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT
to=(DESTDIR="$dest/root" PREFIX=/opt/pmemshim BUILD="${BUILD:-build}")

make install "${to[@]}" >/dev/null
expected="CHANGELOG.md LICENSE README.md SECURITY.md database.env libpmemshim.7 libpmemshim.so measure-kernel.env pmemshim"
for command in ab check probe run stat; do expected+=" pmemshim-$command.1"; done
expected+=" pmemshim.1"
installed=$(cd "$dest/root/opt/pmemshim" && find . -type f -printf '%f\n' |
	LC_ALL=C sort | tr '\n' ' ')
[[ $installed == "$expected " ]] || {
	echo "installed: $installed"
	echo "expected:  $expected"
	exit 1
}
library=$dest/root/opt/pmemshim/lib/libpmemshim.so
[[ $(LD_PRELOAD=$library PMEMSHIM_STATS=$dest/stats PMEMSHIM_PATHS=/tmp \
	/bin/echo hello 2>&1) == hello ]]
"$dest/root/opt/pmemshim/bin/pmemshim" stat "$dest/stats" | grep -q 'rule /tmp'
grep -q /opt/pmemshim/lib "$dest"/root/opt/pmemshim/share/pmemshim/profiles/*.env
# The command finds the library that was installed with it.
[[ $("$dest/root/opt/pmemshim/bin/pmemshim" run -l error env) == *"LD_PRELOAD=$library"* ]] || {
	echo "pmemshim run does not find $library"
	exit 1
}
make uninstall "${to[@]}" >/dev/null
left=$(find "$dest/root" -type f)
[[ -z $left ]] || {
	echo "left behind: $left"
	exit 1
}
