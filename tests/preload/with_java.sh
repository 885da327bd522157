#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A Java program with FileChannel.map and force behaves as without the shim, and is served.
. "$T_ROOT/tests/support/t_preload.sh"
t_need java default-jdk-headless
t_need javac default-jdk-headless
T_TRACE=''
T_KEYS=refresh=0,kernel_above=never
javac -d "$T_WORK" "$T_ROOT/tests/preload/with_java.java" || t_fail "it does not compile"
for who in bare shim; do t_run $who java -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$T_WORK" Force; done
t_same out err status
[ "$(cat "$T_WORK/shim.status")" = 0 ] || t_fail "$(cat "$T_WORK/shim.err")"
[ "$(t_count 'msync persisted')" -ge 15 ] || t_fail "only $(t_count 'msync persisted') were persisted"
