/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * figures.c: a QEMU plugin that counts what the whole machine executes, and
 * writes the counts down at each mark of marks.c.
 *
 *	qemu-system-x86_64 ... -smp 1 -plugin figures.so,out=FILE[,profile=yes]
 *
 * At exit FILE holds a line for each mark: its kind, then instructions, those
 * of programs among them, flushes, fences, streaming stores and page faults
 * since the machine was started. With profile FILE.N has, for column N, how
 * many instructions were executed in each piece of code, by its address, from
 * the first mapping up to the last acknowledgement.
 *
 * Design: a page fault is the one place where the kernel reads CR2. A string
 * instruction that repeats is left out: the emulation executes it once for each
 * byte, a processor does not.
 *
 * Debian does not package the plugin header; what is used of it is declared
 * here (QEMU 7.2, include/qemu/qemu-plugin.h, plugin interface 1).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marks.h"

#define PLUGIN __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*tb_fn)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*exit_fn)(uint64_t id, void *context);
typedef void (*insn_fn)(unsigned int cpu, void *context);
enum { INLINE_ADD_U64 };
enum { NO_REGISTERS };

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, tb_fn callback);
void qemu_plugin_register_atexit_cb(uint64_t id, exit_fn callback, void *p);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *,
						 size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb,
					      int op, void *p, uint64_t n);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
						int op, void *p, uint64_t n);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    insn_fn callback, int flags,
					    void *context);

PLUGIN int qemu_plugin_version = 1;
PLUGIN int qemu_plugin_install(uint64_t id, const void *info, int argc,
			       char **argv);

enum count { INSTRUCTIONS, OF_PROGRAMS, FLUSHES, FENCES, STREAMS, FAULTS,
	     COUNTS };

/* A piece of code as it was translated; translated anew, it is here twice. */
struct piece {
	struct piece *next;
	uint64_t pc;
	uint64_t executed, kept;	/* now, and at the last acknowledgement */
};

static uint64_t counts[COUNTS];
static struct piece *pieces;
static bool profiling;
static int column = -1;
static char out[4096];
static FILE *out_file;

static void forget_pieces(void)
{
	for (struct piece *p = pieces; p; p = p->next)
		p->executed = p->kept = 0;
}

static void keep_pieces(void)
{
	for (struct piece *p = pieces; p; p = p->next)
		p->kept = p->executed;
}

/* Nothing since then was the program's. */
static void return_to_kept(void)
{
	for (struct piece *p = pieces; p; p = p->next)
		p->executed = p->kept;
}

static void write_pieces(void)
{
	char name[sizeof(out) + 16];
	FILE *f;

	snprintf(name, sizeof(name), "%s.%d", out, column);
	f = fopen(name, "w");
	if (!f) {
		perror(name);
		return;
	}
	for (struct piece *p = pieces; p; p = p->next)
		if (p->kept > 0)
			fprintf(f, "%" PRIx64 " %" PRIu64 "\n", p->pc, p->kept);
	fclose(f);
}

static void profile(enum mark mark)
{
	static bool begun;

	if (mark == MARK_COLUMN) {
		if (begun)
			write_pieces();
		begun = false;
		column++;
	} else if (mark == MARK_BEGIN && !begun) {
		begun = true;
		forget_pieces();
	} else if (mark == MARK_ACK) {
		keep_pieces();
	} else if (mark == MARK_RESUME) {
		return_to_kept();
	}
}

static void marked(unsigned int cpu, void *context)
{
	enum mark mark = (enum mark)(uintptr_t)context;

	(void)cpu;
	fprintf(out_file, "%d", (int)mark);
	for (int i = 0; i < COUNTS; i++)
		fprintf(out_file, " %" PRIu64, counts[i]);
	fputc('\n', out_file);
	if (profiling)
		profile(mark);
}

/* ---------------------------------------------------------- instructions */

struct prefixes {
	bool data16, repeats;
};

static const uint8_t *read_prefixes(const uint8_t *p, const uint8_t *end,
				    struct prefixes *prefixes)
{
	*prefixes = (struct prefixes){ false, false };
	for (; p < end; p++) {
		switch (*p) {
		case 0x66: prefixes->data16 = true; break;
		case 0xf2: case 0xf3: prefixes->repeats = true; break;
		case 0x26: case 0x2e: case 0x36: case 0x3e:
		case 0x64: case 0x65: case 0x67: case 0xf0: break;
		default:
			return (*p & 0xf0) == 0x40 ? p + 1 : p;
		}
	}
	return p;
}

/* MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS. */
static bool is_string(uint8_t opcode)
{
	return (opcode >= 0xa4 && opcode <= 0xa7) ||
	       (opcode >= 0xaa && opcode <= 0xaf) ||
	       (opcode >= 0x6c && opcode <= 0x6f);
}

/* The group 0F AE: a register operand makes it a fence. COUNTS: neither. */
static enum count kind_of_group15(uint8_t modrm, bool data16)
{
	unsigned int group = modrm >> 3 & 7;

	if (modrm >> 6 == 3)
		return modrm >= 0xf0 && !data16 ? FENCES : COUNTS;
	if (group == 7 || (group == 6 && data16))
		return FLUSHES;
	return COUNTS;
}

/* What counts beside being an instruction. */
static enum count kind_of(const uint8_t *p, size_t size, uint8_t first,
			  const struct prefixes *prefixes)
{
	if (first == 0xc5 && size > 3)
		return p[2] == 0xe7 || p[2] == 0x2b ? STREAMS : COUNTS;
	if (first == 0xc4 && size > 4)
		return (p[1] & 0x1f) == 1 && p[3] == 0xe7 ? STREAMS : COUNTS;
	if (size < 3 || p[0] != 0x0f)
		return COUNTS;
	switch (p[1]) {
	case 0xae:
		return kind_of_group15(p[2], prefixes->data16);
	case 0x20:	/* MOV from a control register; CR2 */
		return (p[2] >> 3 & 7) == 2 ? FAULTS : COUNTS;
	case 0xc3: case 0x2b: case 0xe7:
		return STREAMS;
	}
	return COUNTS;
}

static void count(struct qemu_plugin_insn *insn, enum count kind)
{
	qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64,
						   &counts[kind], 1);
}

static bool is_mark(const uint8_t *p, size_t size)
{
	static const uint8_t prefix[] = { 0x0f, 0x1f, 0x84, 0 };
	static const uint8_t suffix[] = { MARK_BYTES };

	return size == 8 && memcmp(p, prefix, 4) == 0 &&
	       memcmp(p + 5, suffix, 3) == 0;
}

/* Whether it is an instruction that counts. */
static bool watch(struct qemu_plugin_insn *insn)
{
	const uint8_t *code = qemu_plugin_insn_data(insn), *p;
	size_t size = qemu_plugin_insn_size(insn);
	struct prefixes prefixes;
	enum count kind;

	if (is_mark(code, size))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, marked,
			NO_REGISTERS, (void *)(uintptr_t)code[4]);
	p = read_prefixes(code, code + size, &prefixes);
	if (prefixes.repeats && p < code + size && is_string(*p))
		return false;
	count(insn, INSTRUCTIONS);
	if (qemu_plugin_insn_vaddr(insn) >> 63 == 0)
		count(insn, OF_PROGRAMS);
	kind = kind_of(p, (size_t)(code + size - p), code[0], &prefixes);
	if (kind != COUNTS)
		count(insn, kind);
	return true;
}

static void watch_piece(struct qemu_plugin_tb *tb, uint64_t n)
{
	struct piece *piece = calloc(1, sizeof(*piece));

	if (!piece)
		abort();
	piece->pc = qemu_plugin_tb_vaddr(tb);
	piece->next = pieces;
	pieces = piece;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64,
						 &piece->executed, n);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	uint64_t counted = 0;

	(void)id;
	for (size_t i = 0; i < n; i++)
		counted += watch(qemu_plugin_tb_get_insn(tb, i));
	if (profiling && counted > 0)
		watch_piece(tb, counted);
}

static void finish(uint64_t id, void *context)
{
	(void)id, (void)context;
	if (profiling)
		profile(MARK_COLUMN);
	fclose(out_file);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0)
			snprintf(out, sizeof(out), "%s", argv[i] + 4);
		profiling |= strcmp(argv[i], "profile=yes") == 0;
	}
	out_file = *out ? fopen(out, "w") : NULL;
	if (!out_file) {
		fprintf(stderr, "figures: out=FILE is missing, or no file\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
