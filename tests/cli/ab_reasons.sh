# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# pmemshim ab says why there is nothing to compare
. "$T_ROOT/tests/support/t_cli.sh"
t_cc ab_syncer ab_syncer.c
t_cc ab_static ab_syncer.c -static
none='nothing to compare per sync: no msync reached a tracked mapping'

# tmpfs has no DAX.
t_cli 0 ab -n 1 -w 0 -p "$T_DATA" -- "$T_BIN/ab_syncer" "$T_DATA/file" 5 0 1
t_says out "$none (3 mappings refused: not a DAX file)"
# Another rule's file.
t_cli 0 ab -n 1 -w 0 -p "$T_DATA/other" -- "$T_BIN/ab_syncer" "$T_DATA/file" 5 0 1
t_says out "$none (no file under a rule was mapped shared and writable)"
# Mapped and not synced.
t_cli 0 ab -n 1 -w 0 -p "$T_DATA,assume_pmem=yes" -- \
	"$T_BIN/ab_syncer" "$T_DATA/file" 0 0 1
t_says out "$none (3 mappings were tracked, but none was synced by msync)"
# Static.
t_cli 0 ab -n 1 -w 0 -p "$T_DATA" -- "$T_BIN/ab_static" "$T_DATA/file" 5 0 1
t_says out "$none (no process loaded the library; see pmemshim check)"
t_says err 'pmemshim: warning'
# Too few blocks.
t_cli 0 ab -n 1 -w 0 -p "$T_DATA,assume_pmem=yes" -- \
	"$T_BIN/ab_syncer" "$T_DATA/file" 70 0 1
t_says out 'too few pairs of blocks for a claim per sync (2, of which 2 independent'
