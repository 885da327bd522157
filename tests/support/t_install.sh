#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# t_install.sh PACKAGE...: install the Debian packages that are missing, with
# sudo unless root. Silent and at once when none is.
set -euo pipefail

missing=()
for package; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) ||
		status=
	[[ $status == installed ]] || missing+=("$package")
done
((${#missing[@]} > 0)) || exit 0

as_root=()
((EUID == 0)) || as_root=(sudo)

apt_install() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get install -qq -y --no-install-recommends "$@" </dev/null
}

echo "installing ${missing[*]}" >&2
# Old package lists name files that mirrors no longer have.
apt_install "${missing[@]}" >/dev/null 2>&1 ||
	{ "${as_root[@]}" apt-get update -qq && apt_install "${missing[@]}"; } >&2 ||
	{
		echo "${0##*/}: apt-get could not install ${missing[*]}" >&2
		exit 1
	}
