#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# siglongjmp out of a handler that interrupted the shim leaves nothing locked.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc signal_jump signal_jump.c
T_TRACE=''
T_KEYS=refresh=0,copy_min=64
t_judge signal_jump
