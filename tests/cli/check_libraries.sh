#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check finds libraries where ld.so does: RPATH before LD_LIBRARY_PATH before RUNPATH, $ORIGIN, and says which is missing.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
mkdir first second third
library() { # DIRECTORY NAME CODE [FLAG...]
	echo "$3" >"$2.c"
	"$CC" -fno-builtin -shared -fPIC -Wl,-soname,"lib$2.so" -o "$1/lib$2.so" "$2.c" "${@:4}" ||
		t_fail "no lib$2.so"
}
program() { # NAME [FLAG...]
	echo 'int one(void); int main(void) { return one(); }' >main.c
	"$CC" -o "$1" main.c "${@:2}" || t_fail "no $1"
}
same() { # NAME: and ld.so finds the same ones
	ldd "./$1" | awk '$2 == "=>" { print $3 }' | xargs -rn1 readlink -f | sort >want
	python3 -c 'import json, os
for o in json.load(open("out"))["files"][0]["objects"][1:]:
    p = os.path.realpath(o["path"])
    if "ld-linux" not in p: print(p)' | sort >got
	diff want got || t_fail "$1: not the libraries that ld.so takes"
}
t_need python3 python3
# Two libraries of one name: the second calls msync, the first does not.
library second two '#include <sys/mman.h>
int two(void) { return msync(0, 0, 0); }'
library first two 'int two(void) { return 2; }'
# $ORIGIN is meant for ld.so.
# shellcheck disable=SC2016
origin='-Wl,-rpath,$ORIGIN'
library third one 'int two(void); int one(void) { return two(); }' -Lsecond -ltwo

program runpath -Lthird -lone -Wl,-rpath-link,second -Wl,--enable-new-dtags \
	"$origin/third"
t_cli 2 check ./runpath
t_says out 'no: libtwo.so, which libone.so needs, was not found'
export LD_LIBRARY_PATH=$T_WORK/second
t_cli 0 check ./runpath
t_says out 'msync is called by libtwo.so'
t_cli 0 check --json ./runpath
same runpath
LD_LIBRARY_PATH=$T_WORK/first t_cli 0 check --json ./runpath
t_json 'not any(i["function"] == "msync" for o in j["files"][0]["objects"] for i in o["imports"])'

# DT_RPATH serves what the libraries need, too, and comes first.
program rpath -Lthird -lone -Wl,-rpath-link,second -Wl,--disable-new-dtags \
	"$origin/third:\$ORIGIN/second"
LD_LIBRARY_PATH=$T_WORK/first t_cli 0 check ./rpath
t_says out 'msync is called by libtwo.so'
unset LD_LIBRARY_PATH
t_cli 0 check --json ./rpath
same rpath

# RUNPATH of the program is not for what its libraries need.
program shadow -Lthird -lone -Wl,-rpath-link,second -Wl,--enable-new-dtags \
	"$origin/third:\$ORIGIN/second"
t_cli 2 check ./shadow
t_says out 'libtwo.so, which libone.so needs, was not found'

# RUNPATH of the library, and the program's RPATH is not asked.
library third one 'int two(void); int one(void) { return two(); }' -Lsecond -ltwo \
	-Wl,--enable-new-dtags "$origin/nowhere"
t_cli 2 check ./rpath
t_says out 'libtwo.so, which libone.so needs, was not found'
LD_LIBRARY_PATH=$T_WORK/second t_cli 0 check --json ./rpath
LD_LIBRARY_PATH=$T_WORK/second same rpath

# What is loaded is taken for who needs that name next, wherever that looks.
library third one 'int two(void); int one(void) { return two(); }' -Lsecond -ltwo \
	-Wl,--enable-new-dtags "$origin/../second"
program both -Lfirst -Lthird -Wl,--no-as-needed -ltwo -lone -Wl,--enable-new-dtags \
	"$origin/first:\$ORIGIN/third"
t_cli 0 check --json ./both
same both
t_json 'sum("libtwo" in o["path"] for o in j["files"][0]["objects"]) == 1'
library third one 'int two(void); int one(void) { return two(); }' -Lsecond -ltwo

# A library for another machine is passed over, one that is damaged is not.
mkdir wrong
cp second/libtwo.so wrong/
printf '\267\0' | dd of=wrong/libtwo.so bs=1 seek=18 conv=notrunc status=none
LD_LIBRARY_PATH=$T_WORK/wrong:$T_WORK/second t_cli 0 check ./runpath
t_says out 'msync is called by libtwo.so'
head -c 5000 second/libtwo.so >wrong/libtwo.so
LD_LIBRARY_PATH=$T_WORK/wrong:$T_WORK/second t_cli 2 check ./runpath
t_says out 'libtwo.so, which it needs, is damaged: it is truncated'

# In a directory that only the cache knows, if there is such a one here.
read -r name path < <(PATH=$PATH:/sbin ldconfig -p 2>/dev/null |
	awk '/x86-64/ && $NF !~ "^(/usr)?/lib(64|/[a-z0-9_]*-linux-gnu)?/[^/]*$" { print $1, $NF; exit }')
if [ -n "${path-}" ]; then
	echo 'int cached;' >cached.c
	"$CC" -shared -fPIC -Wl,-soname,"$name" -o cached.so cached.c || t_fail "no cached.so"
	"$CC" -o cached "$T_ROOT/tests/cli/program.c" -Wl,--no-as-needed ./cached.so || t_fail "no cached"
	t_cli 0 check --json ./cached
	t_json "any(o['path'] == '$path' for o in j['files'][0]['objects'])"
	same cached
fi
