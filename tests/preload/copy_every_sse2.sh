#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every copy and set by SSE2 is libc's: lengths, alignments, overlap, page ends, results, flags, upper registers.
. "$T_ROOT/tests/support/t_preload.sh"
. "$T_ROOT/tests/support/t_isa.sh"
t_isa sse2
