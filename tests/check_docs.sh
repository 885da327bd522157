#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Every option, symbol and counter stands in the man page; every option with
# its default in the README. Prints what is missing.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

man=man/libpmemshim.7
missing=0

# want FILE TEXT WHAT
want() {
	grep -qF -- "$2" "$1" || {
		echo "$1: $3 is missing"
		missing=1
	}
}

# "-" in a man page is written "\-".
roff() { echo "${1//-/\\-}"; }

while read -r name; do
	want "$man" "$(roff "$name")" "option $name"
	want README.md "\`$name\`" "option $name"
done < <(sed -nE 's/^(KEY|VARIABLE)\(\w+, "([^"]+)".*/\2/p' config/options.def)

while read -r name; do
	want "$man" "$(roff "$name")" "symbol $name"
done < <(sed -nE 's/^SYMBOL\([^,]*, ([a-z0-9_]+),.*/\1/p' shim/symbols.def shim/arch/*/symbols.def)

while read -r text; do
	want "$man" "$(roff "$text")" "counter \"$text\""
done < <(sed -nE 's/^COUNTER\([A-Z_]+, "(.*)"\)/\1/p' shim/stats.def)

exit "$missing"
