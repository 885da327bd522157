#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check names each interposed function by its version, for the program and every library, and reads the same as nm and ldd.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
cat >versions.c <<'END'
#include <string.h>
__asm__(".symver memcpy, memcpy@GLIBC_2.2.5");
int main(int argc, char **argv) { (void)argc; memcpy(argv[0], argv[0], 1); return 0; }
END
"$CC" -fno-builtin -o versions versions.c || t_fail "versions.c"
if [ "$(uname -m)" = x86_64 ]; then
	t_cli 0 check ./versions
	t_says out ' memcpy@GLIBC_2.2.5'
	t_says out 'neither it nor a library that it needs calls msync'
fi

# A table of the old kind, which newer linkers leave out, tells the same.
for style in sysv gnu both; do
	"$CC" -fno-builtin -Wl,--hash-style=$style -o hash_$style "$T_ROOT/tests/cli/program.c" ||
		t_fail "no program with --hash-style=$style"
	t_cli 0 check ./hash_$style
	sed 1d out | sed "s/hash_$style */program /" >of_$style
done
cmp of_sysv of_gnu || t_fail "another table, another result"
cmp of_sysv of_both || t_fail "both tables, another result"

# What nm and ldd say of programs and libraries that are installed here.
t_need python3 python3
t_need nm binutils
cat >compare.py <<'END'
import glob, json, os, re, subprocess, sys

interposed = set(re.findall(r"^SYMBOL\([^,]*, (\w+),", open(sys.argv[1]).read(), re.M))

def run(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout

def real(paths):
    return {os.path.realpath(p) for p in paths if "/ld-linux" not in p}

wrong = compared = 0
for file in json.load(open(sys.argv[2]))["files"]:
    if file["kind"] not in ("dynamic", "library"):
        continue
    compared += 1
    ldd = run("ldd", file["path"])
    expected = real(re.findall(r"(?:=> |^\t)(/\S+) \(", ldd, re.M))
    found = real(o["path"] for o in file["objects"][1:])
    if expected != found:
        wrong += 1
        print(file["path"], "libraries", expected ^ found)
    nm = run("nm", "-D", file["path"])
    expected = {m for m in re.findall(r"^ +[Uw] (\S+)", nm, re.M) if m.split("@")[0] in interposed}
    found = {i["function"] + ("@" + i["version"] if i["version"] else "")
             for i in file["objects"][0]["imports"]}
    if expected != found:
        wrong += 1
        print(file["path"], "imports", expected ^ found)
if wrong or compared < 20:
    sys.exit(f"of {compared} files, {wrong} differ")
END
mapfile -t files < <(for f in /usr/bin/[a-p]* /usr/lib/*-linux-gnu/lib[a-p]*.so.*; do
	[ -f "$f" ] && [ "$(stat -c %s "$(readlink -f "$f")")" -lt 4000000 ] && readlink -f "$f"
done | sort -u | awk 'NR % 17 == 0' | head -n 60)
"$T_CLI" check --json "${files[@]}" >out
python3 compare.py "$T_ROOT/shim/symbols.def" out || t_fail "not what nm and ldd say"
