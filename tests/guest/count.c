/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * count.c: a QEMU plugin that counts the flush, fence and streaming-store
 * instructions that programs in the guest execute (not its kernel).
 *
 *	qemu-system-x86_64 ... -plugin count.so,out=FILE
 *
 * At exit FILE holds one "NAME NUMBER" line for each kind. Encodings: Intel
 * SDM volume 2, CLFLUSH, CLFLUSHOPT, CLWB, SFENCE, MOVNTDQ, VMOVNTDQ.
 *
 * Debian does not package the plugin header; what is used of it is declared
 * here (QEMU 7.2, include/qemu/qemu-plugin.h, plugin interface 1).
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PLUGIN __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*tb_fn)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*exit_fn)(uint64_t id, void *context);
enum { INLINE_ADD_U64 };

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, tb_fn callback);
void qemu_plugin_register_atexit_cb(uint64_t id, exit_fn callback, void *p);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *,
						 size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
						int op, void *p, uint64_t n);

PLUGIN int qemu_plugin_version = 1;
PLUGIN int qemu_plugin_install(uint64_t id, const void *info, int argc,
			       char **argv);

enum kind { CLFLUSH, CLFLUSHOPT, CLWB, SFENCE, STREAM, KINDS };

static const char *const names[KINDS] = {
	"clflush", "clflushopt", "clwb", "sfence", "stream",
};
static uint64_t counts[KINDS];
static char out[4096];

/* The byte behind the prefixes; *data16: one of them was 66. */
static const uint8_t *skip_prefixes(const uint8_t *p, const uint8_t *end,
				    int *data16)
{
	*data16 = 0;
	for (; p < end; p++) {
		if (*p == 0x66)
			*data16 = 1;
		else if ((*p & 0xf0) != 0x40 && *p != 0x3e && *p != 0x67)
			break;
	}
	return p;
}

/* The group 0F AE: a register operand makes it a fence. */
static enum kind kind_of_group15(uint8_t modrm, int data16)
{
	int reg = modrm >> 3 & 7, memory = modrm >> 6 != 3;

	if (reg == 7)
		return !memory ? data16 ? KINDS : SFENCE
			       : data16 ? CLFLUSHOPT : CLFLUSH;
	return reg == 6 && memory && data16 ? CLWB : KINDS;
}

static enum kind kind_of(const uint8_t *p, size_t size)
{
	const uint8_t *end = p + size;
	int data16;

	if (size > 3 && p[0] == 0xc5 && p[2] == 0xe7)
		return STREAM;
	if (size > 4 && p[0] == 0xc4 && p[3] == 0xe7)
		return STREAM;
	p = skip_prefixes(p, end, &data16);
	if (end - p < 3 || p[0] != 0x0f)
		return KINDS;
	if (p[1] == 0xae)
		return kind_of_group15(p[2], data16);
	return p[1] == 0xc3 || (p[1] == 0xe7 && data16) ? STREAM : KINDS;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		enum kind kind = kind_of(qemu_plugin_insn_data(insn),
					 qemu_plugin_insn_size(insn));

		if (kind != KINDS && qemu_plugin_insn_vaddr(insn) >> 47 == 0)
			qemu_plugin_register_vcpu_insn_exec_inline(insn,
				INLINE_ADD_U64, &counts[kind], 1);
	}
}

static void report(uint64_t id, void *context)
{
	FILE *f = fopen(out, "w");

	(void)id, (void)context;
	if (!f) {
		perror(out);
		return;
	}
	for (int i = 0; i < KINDS; i++)
		fprintf(f, "%s %llu\n", names[i],
			(unsigned long long)counts[i]);
	fclose(f);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], "out=", 4) == 0)
			snprintf(out, sizeof(out), "%s", argv[i] + 4);
	if (!*out) {
		fprintf(stderr, "count: out=FILE is missing\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, report, NULL);
	return 0;
}
