#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A program that closes descriptors 3 and up keeps its numbers, and its msync works, by the kernel.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc fd_closed fd_closed.c
for how in loop range; do
	t_judge fd_closed $how -- first=1 persisted=1 lost=3 nothing=1
	grep -q '^open.* = 3 ' "$T_WORK/shim.out" || t_fail "$how: the next descriptor is not 3"
done
# With another file under the number that the shim had.
t_judge fd_closed taken -- first=1 persisted=1 lost=2
# A new mapping brings a new descriptor.
t_judge fd_closed renewed -- first=2 persisted=3 lost=1
