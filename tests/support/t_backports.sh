#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# t_backports.sh DIR ARG...: apt-get ARG..., or apt-cache show, with Debian's backports among its
# sources. What it downloads is in DIR/cache/archives or the current directory.
#
# Design: nothing is installed, and the system's apt does not learn of the
# backports: apt-get runs with lists, cache and sources of its own, in DIR, and
# with the mirror that the system's sources already name.
set -euo pipefail

dir=${1:?usage: t_backports.sh DIR APT-GET-ARGUMENT...}
shift
release=bookworm

mirror() {
	apt-get indextargets --format "\$(REPO_URI) \$(RELEASE)" |
		sed -n "s/ $release\$//p" | head -n 1
}

private() {
	"$1" -qq -o "Dir::State::Lists=$dir/lists" \
		-o "Dir::Cache=$dir/cache" \
		-o "Dir::Etc::SourceList=$dir/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null \
		-o Dir::Etc::PreferencesParts=/dev/null \
		-o APT::Sandbox::User= -o Debug::NoLocking=1 "${@:2}"
}

prepare() {
	local uri

	uri=$(mirror)
	if [[ -z $uri ]]; then
		echo "${0##*/}: no source of this system offers $release" >&2
		return 1
	fi
	mkdir -p "$dir"/lists/partial "$dir"/cache/archives/partial
	printf "deb $uri %s main\n" $release $release-updates \
		$release-backports >"$dir/sources.list"
	private apt-get update
}

dir=$(readlink -m "$dir")
[[ -e $dir/sources.list ]] || prepare
case $1 in
show) private apt-cache "$1" --no-all-versions "${@:2}" ;;
*) private apt-get -t $release-backports "$@" ;;
esac
