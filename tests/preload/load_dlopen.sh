#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What a library loaded at run time maps, syncs and copies is served too, also after dlclose.
. "$T_ROOT/tests/support/t_preload.sh"
t_cc libmapper.so load_dlopen.lib.c -shared -fPIC
t_cc load_dlopen load_dlopen.c
t_judge load_dlopen "$T_BIN/libmapper.so" -- first=2 persisted=5
