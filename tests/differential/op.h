/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * op.h: operations as data: made from a seed, written and read as text, and
 * executed elsewhere (world.c).
 *
 * Design: an operation says all that it does and nothing of what came before
 * it, so any subset of a sequence is a sequence, which is what shrinking needs.
 */
#ifndef DIFFERENTIAL_OP_H
#define DIFFERENTIAL_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PAGE		((size_t)4096)
#define ARENA_UNITS	32	/* operations begin in these ... */
#define SPAN_UNITS	48	/* ... and end in these */
#define FILE_UNITS	24	/* how long files are made */
#define FILES		4	/* the last is under no rule */
#define SLOTS		4
#define PROCESSES	2
#define ARGUMENTS	7
#define OPS_MAX		4096

/* Handles behind those of the files. */
enum { HANDLE_DIRECTORY = FILES * 3, HANDLE_CLOSED, HANDLES };

#define NO_PLACE	((uint64_t)-1)	/* NULL, or the local buffer */

enum op_kind {
#define OP(name, weight, arguments) OP_##name,
#include "tests/differential/ops.def"
#undef OP
	OP_KINDS
};

struct op {
	uint8_t process;
	uint8_t kind;
	uint64_t arg[ARGUMENTS];
};

/* One sequence, for a pair of processes that starts with nothing mapped. */
struct batch {
	uint32_t nops;
	uint32_t unit_pages;	/* what ranges are multiples of, mostly */
	uint32_t look_every;	/* registry and maps compared */
	uint32_t read_every;	/* memory and files read */
	uint64_t file_size[FILES];
	struct op ops[OPS_MAX];
};

/* Fill in all but look_every and read_every. nops <= OPS_MAX. */
void batch_generate(struct batch *batch, uint64_t seed, uint32_t nops,
		    bool strange_flags);

extern const char *const op_names[OP_KINDS];
void op_print(FILE *out, const struct op *op);
void batch_print(FILE *out, const struct batch *batch);

/* What batch_print printed. False, with a message, when it is not that. */
bool batch_parse(FILE *in, struct batch *batch);

#endif
