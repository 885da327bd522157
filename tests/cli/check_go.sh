#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check knows a program written in Go by its note: a static one is out of reach, of one that links C only the C calls are reached.
. "$T_ROOT/tests/support/t_cli.sh"
cat >"$T_WORK/note.s" <<'END'
	.section .note.go.buildid, "a", @note
	.balign 4
	.long 4, 8, 4
	.asciz "Go\0"
	.ascii "build/id"
	.section .note.GNU-stack, "", @progbits
END
t_cc plain program.c
t_cc go_static program.c -static "$T_WORK/note.s"
t_cc go_dynamic program.c "$T_WORK/note.s"
t_cli 0 check "$T_BIN/plain"
t_not_says out Go
t_cli 2 check "$T_BIN/go_static"
t_says out 'no: a static program'
t_says out 'written in Go'
t_cli 1 check "$T_BIN/go_dynamic"
t_says out 'partly: go_dynamic is written in Go'
t_cli 1 check --json "$T_BIN/go_dynamic"
t_json 'j["files"][0]["objects"][0]["go"] is True'
