#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# qemu.sh DIR: a QEMU whose plugins can read registers (10 or newer), unpacked
# from Debian's backports into DIR. Prints the command that runs it.
#
# Design: nothing is installed, and the system's apt does not learn of the
# backports: apt-get runs with lists, cache and sources of its own, and with the
# mirror that the system's sources already name. QEMU 7.2 stays what the other
# tests run with.
set -euo pipefail

dir=${1:?usage: qemu.sh DIR}
release=bookworm
command=$dir/qemu
packages=(qemu-system-x86 qemu-system-data)

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

mirror() {
	apt-get indextargets --format "\$(REPO_URI) \$(RELEASE)" |
		sed -n "s/ $release\$//p" | head -n 1
}

private_apt() {
	apt-get -qq -o "Dir::State::Lists=$dir/apt/lists" \
		-o "Dir::Cache=$dir/apt/cache" \
		-o "Dir::Etc::SourceList=$dir/apt/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null \
		-o Dir::Etc::PreferencesParts=/dev/null \
		-o APT::Sandbox::User= -o Debug::NoLocking=1 "$@"
}

# What QEMU needs and the system lacks comes along: --download-only works out
# the same set that an installation would, and touches nothing.
download() {
	local uri

	uri=$(mirror)
	[[ -n $uri ]] || die "no source of this system offers $release"
	mkdir -p "$dir"/apt/lists/partial "$dir"/apt/cache/archives/partial
	printf "deb $uri %s main\n" $release $release-updates \
		$release-backports >"$dir/apt/sources.list"
	private_apt update && private_apt --reinstall --download-only -y \
		--no-install-recommends -t $release-backports \
		install "${packages[@]}"
}

unpack() {
	local file

	rm -rf "$dir/root"
	mkdir -p "$dir/root"
	for file in "$dir"/apt/cache/archives/*.deb; do
		dpkg-deb -x "$file" "$dir/root"
	done
	# The Makefile takes every *.d below the build directory for its own.
	find "$dir/root" -name '*.d' -prune -exec rm -r {} +
}

write_command() {
	cat >"$command.part" <<-END
	#!/bin/bash
	root=\$(dirname "\$(readlink -f "\$0")")/root
	export LD_LIBRARY_PATH=\$root/usr/lib/x86_64-linux-gnu:\$root/lib/x86_64-linux-gnu
	exec "\$root/usr/bin/qemu-system-x86_64" -L "\$root/usr/share/qemu" \\
	    -L "\$root/usr/share/seabios" -L /usr/share/seabios "\$@"
	END
	chmod 755 "$command.part"
	"$command.part" --version >"$dir/version" || die 'the unpacked QEMU does not start'
	mv "$command.part" "$command"
}

mkdir -p "$dir"
dir=$(readlink -f "$dir")
command=$dir/qemu
exec 9>"$dir/lock"
flock -w 900 9
if [[ ! -x $command ]]; then
	{ download && unpack && write_command; } >&2 ||
		die "cannot have QEMU from $release-backports"
	rm -rf "$dir/apt"
fi
echo "$command"
