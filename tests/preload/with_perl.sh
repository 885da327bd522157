#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A Perl program with File::Map behaves as without the shim, and is served.
. "$T_ROOT/tests/support/t_preload.sh"
t_need /usr/bin/perl perl
/usr/bin/perl -MFile::Map -e 1 2>/dev/null || t_skip "no File::Map (package libfile-map-perl)"
T_KEYS=refresh=0,kernel_above=never,copy_min=64
for who in bare shim; do t_run $who /usr/bin/perl "$T_ROOT/tests/preload/with_perl.pl"; done
t_same out err status
grep -q '^over$' "$T_WORK/shim.out" || t_fail "$(cat "$T_WORK/shim.err")"
t_account
[ "$(t_count 'msync persisted')" -ge 3 ] || t_fail "only $(t_count 'msync persisted') were persisted"
