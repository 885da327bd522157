#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run finds the library beside itself, in ../lib, and where --library says; what LD_PRELOAD cannot hold is one line.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
mkdir -p beside root/bin root/lib alone 'a space/bin' 'a space/lib'
cp "$T_CLI" "$T_SO" beside/
cp "$T_CLI" root/bin/
cp "$T_SO" root/lib/
cp "$T_CLI" alone/
cp "$T_CLI" 'a space/bin/'
cp "$T_SO" 'a space/lib/'
preload() { # COMMAND [OPTION...]: what LD_PRELOAD is then
	"$@" run env 2>err | sed -n 's/^LD_PRELOAD=//p'
}
T_WORK=$(realpath "$T_WORK")
[ "$(preload beside/pmemshim)" = "$T_WORK/beside/libpmemshim.so" ] || t_fail "not the one beside it"
[ "$(preload root/bin/pmemshim)" = "$T_WORK/root/lib/libpmemshim.so" ] || t_fail "not the one in ../lib"
# By a link and by PATH, too.
ln -s "$T_WORK/root/bin/pmemshim" link
[ "$(preload ./link)" = "$T_WORK/root/lib/libpmemshim.so" ] || t_fail "not through a link"
[ "$(PATH=$T_WORK/root/bin:$PATH preload pmemshim)" = "$T_WORK/root/lib/libpmemshim.so" ] || t_fail "not through PATH"

if [ ! -e /usr/local/lib/libpmemshim.so ]; then
	alone/pmemshim run env >out 2>err
	[ $? = 125 ] || t_fail "ran without a library"
	t_says err "libpmemshim.so: neither in $T_WORK/alone nor in"
	t_one_line
	[ ! -s out ] || t_fail "the program was started"
fi
alone/pmemshim run -L "$T_SO" env >out 2>err || t_fail "--library: $(cat err)"
t_says out "LD_PRELOAD=$T_SO"
alone/pmemshim run --library=nowhere.so env >out 2>err
[ $? = 125 ] || t_fail "ran with a library that is not there"
t_says err 'pmemshim: nowhere.so: No such file or directory'
t_one_line

'a space/bin/pmemshim' run env >out 2>err
[ $? = 125 ] || t_fail "ran with a space in LD_PRELOAD"
t_says err 'LD_PRELOAD cannot hold a path with a space'
t_one_line
# shellcheck disable=SC2016
for name in col:on '$ORIGIN'; do
	mkdir "$name"
	cp "$T_SO" "$name/"
	t_cli 125 run -L "$name/libpmemshim.so" env
	t_says err 'LD_PRELOAD cannot hold a path with'
	t_one_line
done
# A link without one helps, as the message says.
ln -s "$T_WORK/a space/lib/libpmemshim.so" linked.so
t_cli 0 run -L linked.so env
t_says out "LD_PRELOAD=$T_WORK/linked.so"
