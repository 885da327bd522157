/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * count_span.c: a QEMU plugin that counts every instruction the machine
 * executes, kernel included, between the two markers of counts.c.
 *
 *	qemu-system-x86_64 ... -smp 1 -plugin count_span.so,out=FILE
 *
 * At exit FILE holds one number a line for each span, in order. Interrupts
 * that fall into a span are in it: take the median of many.
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
typedef void (*insn_fn)(unsigned int cpu, void *context);
enum { INLINE_ADD_U64 };
enum { NO_REGISTERS };

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, tb_fn callback);
void qemu_plugin_register_atexit_cb(uint64_t id, exit_fn callback, void *p);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *,
						 size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
						int op, void *p, uint64_t n);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    insn_fn callback, int flags,
					    void *context);

PLUGIN int qemu_plugin_version = 1;
PLUGIN int qemu_plugin_install(uint64_t id, const void *info, int argc,
			       char **argv);

static const uint8_t marker_begin[8] = { 0x0f, 0x1f, 0x84, 0,
					 0x11, 0x5d, 0x4d, 0x50 };
static const uint8_t marker_end[8] = { 0x0f, 0x1f, 0x84, 0,
				       0x22, 0x5d, 0x4d, 0x50 };

static uint64_t executed, began;
static uint64_t spans[65536];
static size_t nspans;
static char out[4096];

static void begin(unsigned int cpu, void *context)
{
	(void)cpu, (void)context;
	began = executed;
}

static void end(unsigned int cpu, void *context)
{
	(void)cpu, (void)context;
	if (nspans < sizeof(spans) / sizeof(spans[0]))
		spans[nspans++] = executed - began;
}

static int is_marker(struct qemu_plugin_insn *insn, const uint8_t *marker)
{
	return qemu_plugin_insn_size(insn) == 8 &&
	       memcmp(qemu_plugin_insn_data(insn), marker, 8) == 0;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64,
							   &executed, 1);
		if (is_marker(insn, marker_begin))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, begin,
							       NO_REGISTERS,
							       NULL);
		else if (is_marker(insn, marker_end))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end,
							       NO_REGISTERS,
							       NULL);
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
	for (size_t i = 0; i < nspans; i++)
		fprintf(f, "%llu\n", (unsigned long long)spans[i]);
	fclose(f);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], "out=", 4) == 0)
			snprintf(out, sizeof(out), "%s", argv[i] + 4);
	if (!*out) {
		fprintf(stderr, "count_span: out=FILE is missing\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, report, NULL);
	return 0;
}
