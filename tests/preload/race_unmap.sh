#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A range unmapped, or made inaccessible, by another thread during msync gives no signal.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc race_unmap race_unmap.c
T_TRACE=''
for how in munmap mprotect; do
	t_judge race_unmap $how
done
