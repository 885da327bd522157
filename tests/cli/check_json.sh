#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check --json is JSON, in UTF-8, whatever the files are called.
. "$T_ROOT/tests/support/t_cli.sh"
cd "$T_WORK" || exit 1
t_cc dynamic program.c
name=$'quote" back\\slash\ttab\nline \xff\xc3\xa9'
cp "$T_BIN/dynamic" "$name"
t_cli 0 check --json "./$name"
t_json 'j["files"][0]["name"] == "./quote\" back\\slash\ttab\nline \ufffd\u00e9"'
t_json 'j["files"][0]["verdict"] == "yes" and j["files"][0]["kind"] == "dynamic"'
t_json 'any(i["function"] == "msync" and i["version"] for i in j["files"][0]["objects"][0]["imports"])'
t_cli 0 check "./$name"
[ "$(head -n 1 out | wc -l)" = 1 ] || t_fail "not one line"
t_says out 'quote" back\slash?tab?line '
printf '#!/bin/sh\n' >script
t_cli 3 check --json ./script ./nowhere /dev/null
t_json '[f["verdict"] for f in j["files"]] == ["yes", "unknown", "no"]'
t_json 'j["files"][0]["interpreter"]["kind"] == "dynamic"'
t_json 'j["files"][1]["reasons"] == ["No such file or directory"]'
[ ! -s err ] || t_fail "said what is in the JSON already"
"$T_CLI" check --json ./script >/dev/full 2>err
[ $? = 3 ] || t_fail "a full disk went unnoticed"
t_says err 'pmemshim: standard output: No space left on device'
t_one_line
