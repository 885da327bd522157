/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * observe.c: a QEMU plugin that writes down every store, non-temporal store,
 * flush and fence that reaches the NVDIMM, by guest kernel and programs alike.
 *
 *	-plugin observe.so,out=TRACE,medium=FILE,base=FILE,ram=FILE
 *
 * medium and ram are the files behind the guest's NVDIMM and RAM; base becomes
 * a copy of the medium as it was before the first instruction, so that base
 * and TRACE together are every state that the medium has had. TRACE.code has
 * the bytes of each instruction of a program that stored.
 *
 * Design: a store's value is read from the medium itself, right behind the
 * store, which is exact for locked instructions as well. Flushes reach no
 * memory callback: their operand is decoded when the code is translated, its
 * address computed from the registers when it runs, and looked up in the page
 * tables, in the guest's RAM. See SDM volume 1, 2.1 (ModRM) and volume 3, 4.5.
 *
 * Concurrency: virtual CPUs are threads. What a CPU records is in the trace
 * before its next instruction; so what locks order is in their order.
 *
 * Debian does not package the plugin header; what is used of it is declared
 * here (QEMU 10.0, include/qemu/qemu-plugin.h, plugin interface 4).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace.h"

#define PLUGIN __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
struct qemu_plugin_register;
struct qemu_plugin_scoreboard;
struct qemu_plugin_u64 {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
};
struct qemu_plugin_reg_descriptor {
	struct qemu_plugin_register *handle;
	const char *name;
	const char *feature;
};
/* GLib's, which QEMU brings along. */
struct array {
	void *data;
	unsigned int len;
};
enum { INLINE_ADD_U64 };
enum { NO_REGISTERS, READ_REGISTERS };
enum { MEM_WRITE = 2 };

typedef void (*tb_fn)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*exit_fn)(uint64_t id, void *context);
typedef void (*cpu_fn)(uint64_t id, unsigned int cpu);
typedef void (*insn_fn)(unsigned int cpu, void *context);
typedef void (*mem_fn)(unsigned int cpu, uint32_t info, uint64_t vaddr,
		       void *context);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, tb_fn callback);
void qemu_plugin_register_vcpu_init_cb(uint64_t id, cpu_fn callback);
void qemu_plugin_register_atexit_cb(uint64_t id, exit_fn callback, void *p);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *,
						 size_t i);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to,
			     size_t len);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    insn_fn callback, int flags,
					    void *context);
void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
	struct qemu_plugin_insn *insn, int op, struct qemu_plugin_u64 entry,
	uint64_t n);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      mem_fn callback, int flags, int rw,
				      void *context);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t info,
						  uint64_t vaddr);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *addr);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *addr);
unsigned int qemu_plugin_mem_size_shift(uint32_t info);
struct array *qemu_plugin_get_registers(void);
int qemu_plugin_read_register(struct qemu_plugin_register *reg,
			      struct array *to);
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t size);
uint64_t qemu_plugin_u64_sum(struct qemu_plugin_u64 entry);
struct array *g_byte_array_new(void);
struct array *g_byte_array_set_size(struct array *array, unsigned int len);

PLUGIN int qemu_plugin_version = 4;
PLUGIN int qemu_plugin_install(uint64_t id, const void *info, int argc,
			       char **argv);

#define NVDIMM_BASE	((uint64_t)4 << 30)	/* with less than 3 GiB RAM */
#define DIRECT_MAP	((uint64_t)0xffff888000000000)
#define DIRECT_MAP_END	((uint64_t)0xffffc88000000000)
#define CPUS_MAX	16
#define BATCH		65536

enum {
	REG_CR3 = 16, REG_FS, REG_GS, REG_COUNT, REG_NONE = 255,
};

static const char *const register_names[REG_COUNT] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9",
	"r10", "r11", "r12", "r13", "r14", "r15", "cr3", "fs_base", "gs_base",
};

/* A flush instruction, decoded. */
struct operand {
	uint64_t pc;
	int64_t displacement;	/* with RIP-relative addresses: all of it */
	uint8_t base, index, scale, segment;
	uint8_t kind;
	bool address32;
};

/* An instruction of a program, to be found again in its file: QEMU translates
 * a page of code once for all programs, so the address may be another one's. */
struct code {
	uint64_t pc;
	bool streams, known;
	uint8_t len, bytes[24];	/* and of what follows it */
};

static struct {
	struct qemu_plugin_register *handles[REG_COUNT];
	struct array *value;
} cpus[CPUS_MAX];

/* Under lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct record batch[BATCH];
static size_t nbatch;
static bool begun;
static bool fence_matters[CPUS_MAX];

/* Where pages of programs were seen to lie on the medium. */
static struct {
	uint64_t page, offset;	/* page 0: none */
} seen[65536];

static int trace_fd = -1;
static FILE *code_file;
static const uint8_t *medium, *ram;
static uint64_t medium_size, ram_size;
static struct qemu_plugin_u64 executed;
static bool counting;

/* ---------------------------------------------------- pages of programs */

static void see(uint64_t vaddr, uint64_t offset)
{
	uint64_t page = vaddr >> 12;

	if (page >> 51)
		return;
	seen[page % 65536].page = page;
	seen[page % 65536].offset = offset & ~(uint64_t)4095;
}

/* A kernel that write-protects a page takes it away for a moment. A CPU that
 * flushes it then has it in its TLB, or faults and flushes when it is back. */
static bool was_seen(uint64_t vaddr, uint64_t *offset)
{
	uint64_t page = vaddr >> 12;

	if (page == 0 || seen[page % 65536].page != page)
		return false;
	*offset = seen[page % 65536].offset + vaddr % 4096;
	return true;
}

/* ------------------------------------------------------------- the trace */

static void write_batch(void)
{
	const char *p = (const char *)batch;
	size_t left = nbatch * sizeof(batch[0]);

	while (left > 0) {
		ssize_t n = write(trace_fd, p, left);

		if (n <= 0) {
			perror("observe: the trace");
			abort();
		}
		p += n, left -= (size_t)n;
	}
	nbatch = 0;
}

static void put(uint64_t pc, uint64_t where, uint64_t value)
{
	batch[nbatch++] = (struct record){ pc, where, value };
	if (nbatch == BATCH)
		write_batch();
}

/* In pieces of 8 bytes, which is what is written at once; low bytes first. */
static void put_store(unsigned int cpu, uint64_t pc, enum record_type type,
		      uint64_t offset, uint64_t size)
{
	while (size > 0) {
		uint64_t room = 8 - offset % 8, value = 0;
		uint64_t n = size < room ? size : room;

		memcpy(&value, medium + offset, n);
		put(pc, record_where(type, (unsigned int)n, cpu, offset),
		    value);
		offset += n, size -= n;
	}
}

/* The part of a store that lies in one page; was it on the medium? */
static bool stored_in_page(unsigned int cpu, uint32_t info, uint64_t vaddr,
			   uint64_t size, uint64_t pc, bool streams)
{
	struct qemu_plugin_hwaddr *addr = qemu_plugin_get_hwaddr(info, vaddr);
	uint64_t offset;

	if (!addr || qemu_plugin_hwaddr_is_io(addr))
		return false;
	offset = qemu_plugin_hwaddr_phys_addr(addr) - NVDIMM_BASE;
	if (offset >= medium_size || size > medium_size - offset)
		return false;
	pthread_mutex_lock(&lock);
	see(vaddr, offset);
	if (streams)
		fence_matters[cpu % CPUS_MAX] = true;
	put_store(cpu, pc, streams ? RECORD_STREAM : RECORD_STORE, offset,
		  size);
	pthread_mutex_unlock(&lock);
	return true;
}

/* The kernel reaches the medium by its direct mapping of all memory alone
 * (Documentation/arch/x86/x86_64/mm.rst). Its other addresses are left out: some
 * are device registers, over which QEMU 10.0 ends in an assertion when it is
 * asked where they are while another CPU changes them. That nothing was missed
 * shows when the trace is replayed. */
static bool may_be_medium(uint64_t vaddr)
{
	return !(vaddr >> 63) ||
	       (vaddr >= DIRECT_MAP && vaddr < DIRECT_MAP_END);
}

/* Pages that are neighbours in a program are none on the medium. */
static bool stored(unsigned int cpu, uint32_t info, uint64_t vaddr,
		   uint64_t pc, bool streams)
{
	uint64_t size = (uint64_t)1 << qemu_plugin_mem_size_shift(info);
	uint64_t room = 4096 - vaddr % 4096;
	bool low, high;

	if (!may_be_medium(vaddr))
		return false;
	if (size <= room)
		return stored_in_page(cpu, info, vaddr, size, pc, streams);
	low = stored_in_page(cpu, info, vaddr, room, pc, streams);
	high = stored_in_page(cpu, info, vaddr + room, size - room, pc,
			      streams);
	return low || high;
}

/* The context is the program counter and, lowest, whether it streams. */
static void stored_by_kernel(unsigned int cpu, uint32_t info, uint64_t vaddr,
			     void *context)
{
	stored(cpu, info, vaddr, (uint64_t)((int64_t)(intptr_t)context >> 1),
	       (uintptr_t)context & 1);
}

static void write_code(struct code *code)
{
	pthread_mutex_lock(&lock);
	fprintf(code_file, "%llx ", (unsigned long long)code->pc);
	for (int i = 0; i < code->len; i++)
		fprintf(code_file, "%02x", code->bytes[i]);
	fputc('\n', code_file);
	pthread_mutex_unlock(&lock);
}

static void stored_by_program(unsigned int cpu, uint32_t info, uint64_t vaddr,
			      void *context)
{
	struct code *code = context;

	if (!stored(cpu, info, vaddr, code->pc, code->streams) || code->known)
		return;
	code->known = true;
	write_code(code);
}

static void fenced(unsigned int cpu, void *context)
{
	pthread_mutex_lock(&lock);
	/* While it boots, most have nothing to wait for. */
	if (begun || fence_matters[cpu % CPUS_MAX])
		put((uintptr_t)context, record_where(RECORD_FENCE, 0, cpu, 0),
		    0);
	fence_matters[cpu % CPUS_MAX] = false;
	pthread_mutex_unlock(&lock);
}

/* For each of the kernel's spin locks: fence_matters is looked at before the
 * lock is taken, and only this CPU sets it. */
static void locked(unsigned int cpu, void *context)
{
	if (!fence_matters[cpu % CPUS_MAX])
		return;
	pthread_mutex_lock(&lock);
	put((uintptr_t)context, record_where(RECORD_LOCKED, 0, cpu, 0), 0);
	pthread_mutex_unlock(&lock);
}

/* --------------------------------------------------- registers and pages */

static uint64_t reg(unsigned int cpu, unsigned int name)
{
	struct array *value = cpus[cpu].value;
	uint64_t result = 0;

	g_byte_array_set_size(value, 0);
	if (qemu_plugin_read_register(cpus[cpu].handles[name], value) != 8)
		return 0;
	memcpy(&result, value->data, sizeof(result));
	return result;
}

#define ADDRESS_MASK	((uint64_t)0x000ffffffffff000)
#define PRESENT		1
#define HUGE_PAGE	0x80

static bool translate(uint64_t cr3, uint64_t vaddr, uint64_t *result)
{
	uint64_t entry = cr3;

	for (int shift = 39; shift >= 12; shift -= 9) {
		uint64_t at = (entry & ADDRESS_MASK) + (vaddr >> shift & 511) * 8;
		uint64_t within = ((uint64_t)1 << shift) - 1;

		if (at + 8 > ram_size)
			return false;
		memcpy(&entry, ram + at, 8);
		if (!(entry & PRESENT))
			return false;
		if (shift > 12 && (shift == 39 || !(entry & HUGE_PAGE)))
			continue;
		*result = (entry & ADDRESS_MASK & ~within) | (vaddr & within);
		return true;
	}
	return false;
}

static uint64_t address_of(unsigned int cpu, const struct operand *op)
{
	uint64_t addr = (uint64_t)op->displacement;

	if (op->base != REG_NONE)
		addr += reg(cpu, op->base);
	if (op->index != REG_NONE)
		addr += reg(cpu, op->index) << op->scale;
	if (op->address32)
		addr = (uint32_t)addr;
	if (op->segment != REG_NONE)
		addr += reg(cpu, op->segment);
	return addr;
}

static void flushed(unsigned int cpu, void *context)
{
	const struct operand *op = context;
	uint64_t vaddr = address_of(cpu, op), addr = 0;
	bool found = translate(reg(cpu, REG_CR3), vaddr, &addr);
	uint64_t offset = addr - NVDIMM_BASE;

	if (found && offset >= medium_size)
		return;
	pthread_mutex_lock(&lock);
	fence_matters[cpu % CPUS_MAX] = true;
	if (found)
		see(vaddr, offset);
	if (found || was_seen(vaddr, &offset))
		put(op->pc, record_where(RECORD_FLUSH, op->kind, cpu,
					 offset & ~(uint64_t)63), 0);
	else
		put(op->pc, record_where(RECORD_LOST_FLUSH, op->kind, cpu, 0),
		    vaddr);
	pthread_mutex_unlock(&lock);
}

/* The number is in RDI, the stream in RSI. */
static void marked(unsigned int cpu, void *context)
{
	uint64_t number = reg(cpu, 7), stream = reg(cpu, 6);
	unsigned int mark = (unsigned int)(uintptr_t)context;
	uint64_t count = counting ? qemu_plugin_u64_sum(executed) : 0;

	pthread_mutex_lock(&lock);
	begun = begun || mark == MARK_BEGIN;
	put(count, record_where(RECORD_MARK, mark, cpu, stream), number);
	pthread_mutex_unlock(&lock);
}

static void find_registers(uint64_t id, unsigned int cpu)
{
	struct array *all = qemu_plugin_get_registers();
	const struct qemu_plugin_reg_descriptor *r = all->data;

	(void)id;
	if (cpu >= CPUS_MAX) {
		fprintf(stderr, "observe: more than %d CPUs\n", CPUS_MAX);
		abort();
	}
	cpus[cpu].value = g_byte_array_new();
	for (unsigned int i = 0; i < all->len; i++)
		for (int k = 0; k < REG_COUNT; k++)
			if (strcmp(r[i].name, register_names[k]) == 0)
				cpus[cpu].handles[k] = r[i].handle;
	for (int k = 0; k < REG_COUNT; k++) {
		if (cpus[cpu].handles[k])
			continue;
		fprintf(stderr, "observe: no register %s\n", register_names[k]);
		abort();
	}
}

/* ---------------------------------------------------------- instructions */

struct prefixes {
	bool data16, address32;
	uint8_t rex, segment;
};

static const uint8_t *read_prefixes(const uint8_t *p, const uint8_t *end,
				    struct prefixes *prefixes)
{
	*prefixes = (struct prefixes){ .segment = REG_NONE };
	for (; p < end; p++) {
		switch (*p) {
		case 0x66: prefixes->data16 = true; break;
		case 0x67: prefixes->address32 = true; break;
		case 0x64: prefixes->segment = REG_FS; break;
		case 0x65: prefixes->segment = REG_GS; break;
		case 0x26: case 0x2e: case 0x36: case 0x3e: break;
		case 0xf0: case 0xf2: case 0xf3: break;
		default:
			if ((*p & 0xf0) == 0x40) {
				prefixes->rex = *p++;
			}
			return p;
		}
	}
	return p;
}

static int64_t read_displacement(const uint8_t *p, unsigned int bytes)
{
	int32_t wide;

	if (bytes == 1)
		return (int8_t)*p;
	if (bytes == 0)
		return 0;
	memcpy(&wide, p, sizeof(wide));
	return wide;
}

/* p is at the ModRM byte of a memory operand. */
static void decode_operand(const uint8_t *p, const struct prefixes *prefixes,
			   uint64_t next, struct operand *op)
{
	unsigned int mod = *p >> 6, rm = *p & 7;
	unsigned int bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;
	uint8_t b = (prefixes->rex & 1) << 3, x = (prefixes->rex & 2) << 2;

	p++;
	op->base = op->index = REG_NONE;
	op->segment = prefixes->segment;
	op->address32 = prefixes->address32;
	if (rm == 4) {
		op->scale = *p >> 6;
		if ((*p >> 3 & 7) != 4 || x)
			op->index = (*p >> 3 & 7) | x;
		rm = *p++ & 7;
		if (rm == 5 && mod == 0)
			bytes = 4;
		else
			op->base = (uint8_t)rm | b;
	} else if (rm == 5 && mod == 0) {
		op->displacement = (int64_t)next + read_displacement(p, 4);
		return;
	} else {
		op->base = (uint8_t)rm | b;
	}
	op->displacement = read_displacement(p, bytes);
}

/* The group 0F AE: a register operand makes it a fence. -1: no flush. */
static int flush_kind(uint8_t modrm, bool data16)
{
	unsigned int group = modrm >> 3 & 7;

	if (modrm >> 6 == 3)
		return -1;
	if (group == 7)
		return data16 ? FLUSH_CLFLUSHOPT : FLUSH_CLFLUSH;
	return group == 6 && data16 ? FLUSH_CLWB : -1;
}

static void watch_group15(struct qemu_plugin_insn *insn, const uint8_t *p,
			  const struct prefixes *prefixes)
{
	uint64_t pc = qemu_plugin_insn_vaddr(insn);
	int kind = flush_kind(*p, prefixes->data16);
	struct operand *op;

	/* SFENCE F8-FF, MFENCE F0-F7. */
	if (*p >= 0xf0 && !prefixes->data16)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, fenced,
			NO_REGISTERS, (void *)(uintptr_t)pc);
	if (kind < 0)
		return;
	/* Translated code may run as long as QEMU does: never freed. */
	op = calloc(1, sizeof(*op));
	if (!op)
		abort();
	op->pc = pc;
	op->kind = (uint8_t)kind;
	decode_operand(p, prefixes, pc + qemu_plugin_insn_size(insn), op);
	qemu_plugin_register_vcpu_insn_exec_cb(insn, flushed, READ_REGISTERS,
					       op);
}

static bool is_streaming_opcode(uint8_t opcode, const struct prefixes *prefixes)
{
	switch (opcode) {
	case 0xc3:	/* MOVNTI */
	case 0x2b:	/* MOVNTPS, MOVNTPD */
	case 0xe7:	/* MOVNTQ, MOVNTDQ */
		return true;
	case 0xf7:	/* MASKMOVDQU */
		return prefixes->data16;
	}
	return false;
}

static bool is_streaming_vex(uint8_t opcode)
{
	return opcode == 0xe7 || opcode == 0x2b || opcode == 0xf7;
}

/* A LOCK prefix, or XCHG with memory, which is locked without one. */
static bool is_locked(const uint8_t *code, const uint8_t *opcode,
		      const uint8_t *end)
{
	if (end - opcode >= 2 && (opcode[0] == 0x86 || opcode[0] == 0x87))
		return opcode[1] >> 6 != 3;
	return memchr(code, 0xf0, (size_t)(opcode - code)) != NULL;
}

static void watch_lock(struct qemu_plugin_insn *insn)
{
	uint64_t pc = qemu_plugin_insn_vaddr(insn);

	if (pc >> 63)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, locked,
			NO_REGISTERS, (void *)(uintptr_t)pc);
}

static bool is_mark(const uint8_t *p, size_t size)
{
	static const uint8_t prefix[] = { 0x0f, 0x1f, 0x84, 0 };
	static const uint8_t suffix[] = { 0x43, 0x4d, 0x50 };

	return size == 8 && memcmp(p, prefix, 4) == 0 &&
	       memcmp(p + 5, suffix, 3) == 0;
}

/* Whether the instruction streams. */
static bool watch(struct qemu_plugin_insn *insn)
{
	size_t size = qemu_plugin_insn_size(insn);
	struct prefixes prefixes;
	const uint8_t *p;
	uint8_t code[16];

	if (size > sizeof(code))
		return false;
	qemu_plugin_insn_data(insn, code, size);
	if (is_mark(code, size)) {
		qemu_plugin_register_vcpu_insn_exec_cb(insn, marked,
			READ_REGISTERS, (void *)(uintptr_t)code[4]);
		return false;
	}
	if (code[0] == 0xc5 && size > 3)
		return is_streaming_vex(code[2]);
	if (code[0] == 0xc4 && size > 4 && (code[1] & 0x1f) == 1)
		return is_streaming_vex(code[3]);
	p = read_prefixes(code, code + size, &prefixes);
	if (is_locked(code, p, code + size))
		watch_lock(insn);
	if (code + size - p < 3 || p[0] != 0x0f)
		return false;
	if (p[1] == 0xae)
		watch_group15(insn, p + 2, &prefixes);
	return is_streaming_opcode(p[1], &prefixes);
}

static struct code *new_code(struct qemu_plugin_tb *tb, size_t i, bool streams)
{
	struct code *code = calloc(1, sizeof(*code));
	size_t n = qemu_plugin_tb_n_insns(tb);

	if (!code)
		abort();
	code->pc = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, i));
	code->streams = streams;
	for (; i < n && code->len < sizeof(code->bytes); i++)
		code->len += (uint8_t)qemu_plugin_insn_data(
			qemu_plugin_tb_get_insn(tb, i),
			code->bytes + code->len,
			sizeof(code->bytes) - code->len);
	return code;
}

static void watch_stores(struct qemu_plugin_tb *tb, size_t i, bool streams)
{
	struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
	uint64_t pc = qemu_plugin_insn_vaddr(insn);

	if (pc >> 63)
		qemu_plugin_register_vcpu_mem_cb(insn, stored_by_kernel,
			NO_REGISTERS, MEM_WRITE,
			(void *)(uintptr_t)(pc << 1 | streams));
	else
		qemu_plugin_register_vcpu_mem_cb(insn, stored_by_program,
			NO_REGISTERS, MEM_WRITE, new_code(tb, i, streams));
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		/* First, so that a mark counts itself on every path alike. */
		if (counting)
			qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
				insn, INLINE_ADD_U64, executed, 1);
		watch_stores(tb, i, watch(insn));
	}
}

/* ----------------------------------------------------------------- start */

static const uint8_t *map_file(const char *path, uint64_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st)) {
		perror(path);
		return NULL;
	}
	*size = (uint64_t)st.st_size;
	p = mmap(NULL, *size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

/* Holes stay holes. */
static bool copy_medium(const char *to)
{
	int fd = open(to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	static const uint8_t zeros[4096];
	bool good = fd >= 0 && ftruncate(fd, (off_t)medium_size) == 0;

	for (uint64_t i = 0; good && i + 4096 <= medium_size; i += 4096)
		if (memcmp(medium + i, zeros, 4096) != 0)
			good = pwrite(fd, medium + i, 4096, (off_t)i) == 4096;
	if (!good)
		perror(to);
	if (fd >= 0)
		close(fd);
	return good;
}

static void finish(uint64_t id, void *context)
{
	(void)id, (void)context;
	pthread_mutex_lock(&lock);
	write_batch();
	fclose(code_file);
	pthread_mutex_unlock(&lock);
}

static FILE *open_code_file(const char *trace_name)
{
	char name[4096];

	snprintf(name, sizeof(name), "%s.code", trace_name);
	return fopen(name, "w");
}

static const char *option(int argc, char **argv, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=')
			return argv[i] + len + 1;
	return NULL;
}

static bool open_files(int argc, char **argv)
{
	const char *out = option(argc, argv, "out");
	const char *medium_name = option(argc, argv, "medium");
	const char *base = option(argc, argv, "base");
	const char *ram_name = option(argc, argv, "ram");

	if (!out || !medium_name || !base || !ram_name) {
		fprintf(stderr, "observe: out, medium, base, ram: all are needed\n");
		return false;
	}
	trace_fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	code_file = open_code_file(out);
	medium = map_file(medium_name, &medium_size);
	ram = map_file(ram_name, &ram_size);
	return trace_fd >= 0 && code_file && medium && ram && copy_medium(base);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (!open_files(argc, argv))
		return -1;
	counting = option(argc, argv, "count") != NULL;
	executed.score = qemu_plugin_scoreboard_new(sizeof(uint64_t));
	qemu_plugin_register_vcpu_init_cb(id, find_registers);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
