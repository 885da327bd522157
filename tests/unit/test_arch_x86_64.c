/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_arch_x86_64.c: detection and selection for processors that this
 * machine is not, and what the kernels execute, seen from outside.
 *
 * Design: two instruments. A flush of a page that is not accessible faults
 * like a load; the handler notes the address, steps over the instruction,
 * and so obtains the exact list of lines. And under the trap flag a handler
 * sees every instruction of a kernel before it runs: it counts the bytes
 * stored non-temporally, fences, and flushes.
 */
#include <cpuid.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "shim/arch/x86_64/cpu.h"
#include "shim/arch/x86_64/kernels.h"
#include "shim/arch/x86_64/flush.h"
#include "shim/arch/x86_64/ops.h"

#define PAGE	((size_t)4096)

/* A processor that can do everything, under a system that lets it. */
static struct cpu_raw everything(void)
{
	return (struct cpu_raw){
		.max_leaf = 0x20,
		.vendor = 0x756e6547,
		.leaf1_ebx = 8 << 8,
		.leaf1_ecx = 1u << 27 | 1u << 28,
		.leaf1_edx = 1u << 19 | 1u << 25 | 1u << 26,
		.leaf7_ebx = 1u << 5 | 1u << 16 | 1u << 23 | 1u << 24 |
			     1u << 30 | 1u << 31,
		.max_extended = 0x80000008,
		.power_edx = 1u << 8,
		.tsc_allowed = true,
		.xcr0 = 0xe7,
	};
}

Test(arch_cpu, everything_is_found)
{
	struct cpu_raw raw = everything();
	struct cpu_features cpu = cpu_judge(&raw);

	cr_assert(cpu.clflush && cpu.clflushopt && cpu.clwb);
	cr_assert(cpu.sse2 && cpu.avx2 && cpu.avx512);
	cr_assert(cpu.steady_tsc);
}

Test(arch_cpu, zero_is_nothing)
{
	struct cpu_raw raw = { 0 };
	struct cpu_features cpu = cpu_judge(&raw);

	cr_assert(!cpu.clflush && !cpu.clflushopt && !cpu.clwb);
	cr_assert(!cpu.sse2 && !cpu.avx2 && !cpu.avx512);
	cr_assert(!cpu.steady_tsc);
}

Test(arch_cpu, the_time_stamp_counter_must_be_steady_and_allowed)
{
	struct cpu_raw raw = everything();

	raw.power_edx = ~(1u << 8);
	cr_assert_not(cpu_judge(&raw).steady_tsc);
	raw = everything();
	raw.max_extended = 0x80000006;
	cr_assert_not(cpu_judge(&raw).steady_tsc);
	raw = everything();
	raw.tsc_allowed = false;
	cr_assert_not(cpu_judge(&raw).steady_tsc);
}

Test(arch_cpu, a_forbidden_time_stamp_counter_is_seen)
{
	struct cpu_raw raw;

	cpu_read(&raw);
	cr_assert(raw.tsc_allowed);
	cr_assert_eq(prctl(PR_SET_TSC, PR_TSC_SIGSEGV), 0);
	cpu_read(&raw);
	prctl(PR_SET_TSC, PR_TSC_ENABLE);
	cr_assert_not(raw.tsc_allowed);
}

Test(arch_cpu, each_flush_has_its_bit)
{
	struct cpu_raw raw = everything();
	struct cpu_features cpu;

	raw.leaf7_ebx &= ~(1u << 24);
	cpu = cpu_judge(&raw);
	cr_assert(cpu.clflush && cpu.clflushopt && !cpu.clwb);
	raw.leaf7_ebx &= ~(1u << 23);
	cpu = cpu_judge(&raw);
	cr_assert(cpu.clflush && !cpu.clflushopt && !cpu.clwb);
	raw = everything();
	raw.leaf7_ebx &= ~(1u << 23);
	cpu = cpu_judge(&raw);
	cr_assert(cpu.clflush && !cpu.clflushopt && cpu.clwb);
	raw.leaf1_edx &= ~(1u << 19);
	cpu = cpu_judge(&raw);
	cr_assert(!cpu.clflush && !cpu.clflushopt && !cpu.clwb);
}

Test(arch_cpu, another_line_size_cannot_be_flushed)
{
	for (uint32_t size = 0; size < 256; size++) {
		struct cpu_raw raw = everything();
		struct cpu_features cpu;

		raw.leaf1_ebx = size << 8 | 0xff0000ff;
		cpu = cpu_judge(&raw);
		cr_assert_eq(cpu.clflush, size == 8);
		cr_assert_eq(cpu.clflushopt, size == 8);
		cr_assert_eq(cpu.clwb, size == 8);
	}
}

Test(arch_cpu, avx_without_osxsave_is_off)
{
	struct cpu_raw raw = everything();
	struct cpu_features cpu;

	raw.leaf1_ecx &= ~(1u << 27);
	cpu = cpu_judge(&raw);
	cr_assert(cpu.sse2 && !cpu.avx2 && !cpu.avx512);
}

Test(arch_cpu, every_register_state_is_needed)
{
	/* For each bit of XCR0 taken away: is AVX2, is AVX-512 still on? */
	static const struct {
		int bit;
		bool avx2, avx512;
	} states[] = {
		{ 1, false, false }, { 2, false, false }, { 5, true, false },
		{ 6, true, false },  { 7, true, false },
	};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct cpu_raw raw = everything();
		struct cpu_features cpu;

		raw.xcr0 &= ~(UINT64_C(1) << states[i].bit);
		cpu = cpu_judge(&raw);
		cr_assert_eq(cpu.avx2, states[i].avx2, "bit %d",
			     states[i].bit);
		cr_assert_eq(cpu.avx512, states[i].avx512, "bit %d",
			     states[i].bit);
	}
}

Test(arch_cpu, every_avx512_part_is_needed)
{
	static const int parts[] = { 16, 30, 31 };

	for (size_t i = 0; i < 3; i++) {
		struct cpu_raw raw = everything();
		struct cpu_features cpu;

		raw.leaf7_ebx &= ~(1u << parts[i]);
		cpu = cpu_judge(&raw);
		cr_assert(cpu.avx2 && !cpu.avx512, "bit %d", parts[i]);
	}
}

Test(arch_cpu, avx2_needs_the_avx_bit_too)
{
	struct cpu_raw raw = everything();
	struct cpu_features cpu;

	raw.leaf1_ecx &= ~(1u << 28);
	cpu = cpu_judge(&raw);
	cr_assert(!cpu.avx2 && !cpu.avx512);
}

Test(arch_cpu, a_leaf_above_the_highest_is_not_believed)
{
	struct cpu_raw raw = everything();
	struct cpu_features cpu;

	raw.max_leaf = 6;
	cpu = cpu_judge(&raw);
	cr_assert(cpu.clflush && cpu.sse2);
	cr_assert(!cpu.clflushopt && !cpu.clwb && !cpu.avx2 && !cpu.avx512);
}

/* libgcc asks CPUID and XGETBV in its own code. */
Test(arch_cpu, this_machine_is_judged_as_the_compiler_judges_it)
{
	struct cpu_features cpu;
	struct cpu_raw raw;
	unsigned int a = 0, b = 0, c = 0, d = 0;

	cpu_read(&raw);
	cpu = cpu_judge(&raw);
	cr_assert(cpu.sse2);
	cr_assert_eq(cpu.avx2, !!__builtin_cpu_supports("avx2"));
	cr_assert_eq(cpu.avx512, __builtin_cpu_supports("avx512f") &&
					 __builtin_cpu_supports("avx512bw") &&
					 __builtin_cpu_supports("avx512vl"));
	cr_assert(__get_cpuid(1, &a, &b, &c, &d));
	cr_assert_eq(cpu.clflush, (d & 1u << 19) && (b >> 8 & 0xff) == 8);
	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d))
		b = 0;
	cr_assert_eq(cpu.clwb, cpu.clflush && (b & bit_CLWB));
	cr_assert_eq(cpu.clflushopt, cpu.clflush && (b & bit_CLFLUSHOPT));
}

static struct arch_stream table[OPS_STREAMS];

static struct arch_ops select_for(struct cpu_features cpu)
{
	struct arch_ops ops;

	memset(&ops, 0xff, sizeof(ops));
	ops_select(&ops, table, &cpu);
	return ops;
}

Test(arch_cpu, the_vendor_decides_the_order_and_nothing_else)
{
	struct cpu_raw raw = everything();
	struct cpu_features intel = cpu_judge(&raw), other;

	raw.vendor = 0x68747541;	/* "Auth" */
	other = cpu_judge(&raw);
	cr_assert(intel.in_turn && !other.in_turn);
	other.in_turn = true;
	cr_assert_eq(memcmp(&intel, &other, sizeof(intel)), 0);
}

Test(arch_ops, best_of_everything)
{
	struct arch_ops ops = select_for((struct cpu_features){
		true, true, true, true, true, true, true, true });

	for (size_t i = 0; i < ARCH_FLUSH_COUNT; i++)
		cr_assert_not_null(ops.flush[i]);
	cr_assert_not_null(ops.drain);
	cr_assert_str_eq(ops.stream->name, "avx512");
	cr_assert_eq(ops.nstreams, OPS_STREAMS);
	cr_assert(ops.ticks && ops.ticks_after);
}

Test(arch_ops, a_clock_that_is_not_steady_is_null)
{
	struct arch_ops ops = select_for((struct cpu_features){
		.clflush = true, .sse2 = true });

	cr_assert_null(ops.ticks);
	cr_assert_null(ops.ticks_after);
}

Test(arch_ops, the_clock_goes_on)
{
	struct arch_ops ops = select_for((struct cpu_features){
		.steady_tsc = true });
	uint64_t a = ops.ticks(), b = ops.ticks_after();

	cr_assert_lt(a, b);
	cr_assert_lt(b, ops.ticks_after());
}

Test(arch_ops, lacking_flushes_are_null)
{
	struct arch_ops ops = select_for((struct cpu_features){
		.clflush = true, .clflushopt = true, .sse2 = true });

	cr_assert_null(ops.flush[ARCH_CLWB]);
	cr_assert_not_null(ops.flush[ARCH_CLFLUSHOPT]);
	ops = select_for((struct cpu_features){ .clflush = true,
						.sse2 = true });
	cr_assert_null(ops.flush[ARCH_CLFLUSHOPT]);
	cr_assert_not_null(ops.flush[ARCH_CLFLUSH]);
	cr_assert_not_null(ops.drain);
}

Test(arch_ops, streams_fall_back_in_order)
{
	struct arch_ops ops = select_for((struct cpu_features){
		.clflush = true, .sse2 = true, .avx2 = true });

	cr_assert_str_eq(ops.stream->name, "avx2");
	cr_assert(!ops.streams[2].usable);
	ops = select_for((struct cpu_features){ .clflush = true,
						.sse2 = true });
	cr_assert_str_eq(ops.stream->name, "sse2");
	cr_assert(!ops.streams[1].usable && !ops.streams[2].usable);
}

Test(arch_ops, without_a_flush_everything_goes_to_the_kernel)
{
	struct arch_ops ops = select_for((struct cpu_features){
		.sse2 = true, .avx2 = true, .avx512 = true });

	for (size_t i = 0; i < ARCH_FLUSH_COUNT; i++)
		cr_assert_null(ops.flush[i]);
	cr_assert_null(ops.drain);
	cr_assert_null(ops.stream);
}

Test(arch_flush, counts_the_lines_of_a_range)
{
	const uintptr_t top = UINTPTR_MAX - 63;

	cr_assert_eq(flush_count(0x1000, 0), 0);
	cr_assert_eq(flush_count(0x1000, 1), 1);
	cr_assert_eq(flush_count(0x1000, 64), 1);
	cr_assert_eq(flush_count(0x1000, 65), 2);
	cr_assert_eq(flush_count(0x103f, 1), 1);
	cr_assert_eq(flush_count(0x103f, 2), 2);
	cr_assert_eq(flush_count(0x1001, 64), 2);
	cr_assert_eq(flush_count(top, 64), 1);
	cr_assert_eq(flush_count(top - 1, 65), 2);
	/* A range that wraps ends with the address space. */
	cr_assert_eq(flush_count(top, 65), 1);
	cr_assert_eq(flush_count(top - 64, SIZE_MAX), 2);
	cr_assert_eq(flush_count(0, SIZE_MAX), SIZE_MAX / 64 + 1);
}

/* Lines that faulted, in order. */
static struct {
	uintptr_t line[256];
	size_t n;
} faults;

/* Length of "CLFLUSH/CLFLUSHOPT/CLWB (reg)"; 0 for anything else. */
static size_t flush_length(const unsigned char *code)
{
	size_t n = 0;
	int reg;

	n += code[n] == 0x66;
	n += (code[n] & 0xf0) == 0x40;
	if (code[n] != 0x0f || code[n + 1] != 0xae || code[n + 2] >= 0xc0)
		return 0;
	reg = code[n + 2] >> 3 & 7;
	if (reg != 6 && reg != 7)
		return 0;
	switch (code[n + 2] & 0xc7) {
	case 4: return n + 4;		/* SIB */
	case 0x45: return n + 4;	/* rbp, 8-bit displacement */
	default: return n + 3;
	}
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	greg_t *rip = &u->uc_mcontext.gregs[REG_RIP];
	size_t len = flush_length((const unsigned char *)*rip);

	if (len == 0 || faults.n == 256)
		signal(sig, SIG_DFL);
	faults.line[faults.n++ % 256] = (uintptr_t)info->si_addr;
	*rip += (greg_t)len;
}

static void check_flush(enum arch_flush which)
{
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO };
	struct arch_ops ops;
	unsigned char *p;

	arch_init(&ops);
	if (!ops.flush[which]) {
		fprintf(stderr, "test_arch: flush %d skipped\n", which);
		cr_skip_test("this processor lacks it");
	}
	p = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0);
	cr_assert_neq(p, MAP_FAILED);
	sigaction(SIGSEGV, &action, NULL);
	for (size_t at = 0; at < 130; at++) {
		for (size_t len = 0; len <= 1030; len += len < 200 ? 1 : 41) {
			uintptr_t addr = (uintptr_t)p + PAGE + at;
			size_t want = len ? (at % 64 + len + 63) / 64 : 0;

			faults.n = 0;
			ops.flush[which]((void *)addr, len);
			cr_assert_eq(faults.n, want, "%zu + %zu: %zu lines",
				     at, len, faults.n);
			for (size_t i = 0; i < want; i++)
				cr_assert_eq(faults.line[i] / 64,
					     addr / 64 + i);
		}
	}
}

Test(arch_flush, clflush_takes_each_line_once)
{
	check_flush(ARCH_CLFLUSH);
}

Test(arch_flush, clflushopt_takes_each_line_once)
{
	check_flush(ARCH_CLFLUSHOPT);
}

Test(arch_flush, clwb_takes_each_line_once)
{
	check_flush(ARCH_CLWB);
}

/* What ran under the trap flag. */
static struct {
	size_t streamed;	/* bytes by non-temporal stores */
	size_t fences;
	size_t flushes;
	size_t steps;
} seen;

/*
 * MOVNTDQ is 66 0F E7; compilers may write MOVNTPS (0F 2B) or MOVNTPD
 * (66 0F 2B) for it, which do the same. pp is the prefix as VEX encodes it.
 */
static bool is_movnt(unsigned char opcode, int map, int pp)
{
	return map == 1 &&
	       ((opcode == 0xe7 && pp == 1) || (opcode == 0x2b && pp <= 1));
}

/* Bytes that a non-temporal store stores; 0 for any other instruction. */
static size_t movnt_width(const unsigned char *code)
{
	static const size_t by_length[] = { 16, 32, 64, 0 };
	const unsigned char *p = code;
	int pp = 0;

	if (p[0] == 0xc5)	/* VEX, two bytes: map 0F */
		return is_movnt(p[2], 1, p[1] & 3) ? by_length[p[1] >> 2 & 1] :
						     0;
	if (p[0] == 0xc4)	/* VEX, three bytes */
		return is_movnt(p[3], p[1] & 31, p[2] & 3) ?
			       by_length[p[2] >> 2 & 1] : 0;
	if (p[0] == 0x62)	/* EVEX */
		return is_movnt(p[4], p[1] & 7, p[2] & 3) ?
			       by_length[p[3] >> 5 & 3] : 0;
	if (*p == 0x66) {
		pp = 1;
		p++;
	}
	p += (*p & 0xf0) == 0x40;
	return *p == 0x0f && is_movnt(p[1], 1, pp) ? 16 : 0;
}

static void on_step(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *u = context;
	const unsigned char *code =
		(const unsigned char *)u->uc_mcontext.gregs[REG_RIP];

	(void)sig;
	(void)info;
	seen.steps++;
	seen.streamed += movnt_width(code);
	seen.flushes += flush_length(code) != 0;
	/* SFENCE, MFENCE, LFENCE: 0F AE /7, /6, /5 with a register. */
	seen.fences += code[0] == 0x0f && code[1] == 0xae && code[2] >= 0xe8;
}

/* The red zone belongs to the caller: step over it before the push. */
#define TRAP_FLAG(op, bits)						\
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\t"		\
			 op " %0, (%%rsp)\n\tpopfq\n\t"			\
			 "lea 128(%%rsp), %%rsp"				\
			 : : "i"(bits) : "memory", "cc")

static unsigned char from[3 * 16384 + 4 * 64] __attribute__((aligned(64)));
static unsigned char to[3 * 16384 + 4 * 64] __attribute__((aligned(64)));

static void check_steps(const struct arch_stream *s, arch_flush_fn flush,
			size_t at, size_t len, int set)
{
	size_t head = -at % 64;
	size_t body = len < 256 ? 0 : (len - head) & ~(size_t)63;
	size_t lines = (at % 64 + len + 63) / 64;

	memset(&seen, 0, sizeof(seen));
	TRAP_FLAG("orq", 0x100);
	if (set)
		s->set(to + at, 0x01020304, len, flush);
	else
		s->copy(to + at, from + 3, len, flush);
	TRAP_FLAG("andq", ~0x100);
	cr_assert_gt(seen.steps, 10);
	cr_assert_eq(seen.streamed, body, "%s %zu+%zu: %zu of %zu streamed",
		     s->name, at, len, seen.streamed, body);
	cr_assert_eq(seen.flushes, lines - body / 64,
		     "%s %zu+%zu: %zu flushes", s->name, at, len,
		     seen.flushes);
	cr_assert_eq(seen.fences, 0);
	if (!set)
		cr_assert_eq(memcmp(to + at, from + 3, len), 0);
}

static void check_what_runs(const char *name)
{
	static const size_t lens[] = { 1,    63,   64,	 255,  256,  257, 400,
				       1023, 1024, 4096, 4099, 16384, 16512,
				       40000 };
	struct sigaction action = { .sa_sigaction = on_step,
				    .sa_flags = SA_SIGINFO };
	const struct arch_stream *s = NULL;
	struct arch_ops ops;

	arch_init(&ops);
	for (size_t i = 0; i < ops.nstreams; i++)
		if (!strcmp(ops.streams[i].name, name))
			s = &ops.streams[i];
	if (!s || !s->usable || !ops.flush[ARCH_CLFLUSH]) {
		fprintf(stderr, "test_arch: steps of %s skipped\n", name);
		cr_skip_test("cannot run here");
	}
	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (unsigned char)(i * 7 + i / 251);
	sigaction(SIGTRAP, &action, NULL);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		for (size_t at = 0; at < 64; at += lens[i] > 5000 ? 29 : 5) {
			check_steps(s, ops.flush[ARCH_CLFLUSH], at, lens[i],
				    0);
			check_steps(s, ops.flush[ARCH_CLFLUSH], at, lens[i],
				    1);
		}
	}
}

Test(arch_steps, sse2_streams_whole_lines_and_never_fences)
{
	check_what_runs("sse2");
}

Test(arch_steps, avx2_streams_whole_lines_and_never_fences)
{
	check_what_runs("avx2");
}

Test(arch_steps, avx512_streams_whole_lines_and_never_fences)
{
	check_what_runs("avx512");
}

/* Flushes of memory that may be withdrawn. */
static struct arch_ops guarded_ops;
static _Atomic uint64_t epoch;

static void each_guarded(void (*check)(arch_guarded_fn guarded))
{
	arch_init(&guarded_ops);
	for (size_t i = 0; i < ARCH_FLUSH_COUNT; i++)
		if (guarded_ops.guarded[i])
			check(guarded_ops.guarded[i]);
}

static void check_gives_up(arch_guarded_fn guarded)
{
	char *p = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	cr_assert_not(guarded(p, PAGE, &epoch, epoch + 1));
}

Test(arch_guarded, another_epoch_leaves_the_memory_untouched)
{
	each_guarded(check_gives_up);
}

/* A signal ends a restartable sequence: rip is where it goes on. */
static void on_guarded_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	greg_t *rip = &u->uc_mcontext.gregs[REG_RIP];

	if (faults.n == 256)
		signal(sig, SIG_DFL);
	faults.line[faults.n++ % 256] = (uintptr_t)info->si_addr / 64;
	*rip += (greg_t)flush_length((const unsigned char *)*rip);
}

static bool was_flushed(uintptr_t line)
{
	for (size_t i = 0; i < faults.n; i++)
		if (faults.line[i] == line)
			return true;
	return false;
}

static void check_lines(arch_guarded_fn guarded)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	for (size_t at = 0; at < 64; at += 7)
		for (size_t len = 1; len < 200; len += 3) {
			uintptr_t addr = (uintptr_t)p + PAGE - 64 + at;

			faults.n = 0;
			cr_assert(guarded((void *)addr, len, &epoch, epoch));
			for (uintptr_t line = addr / 64;
			     line <= (addr + len - 1) / 64; line++)
				cr_assert(was_flushed(line), "%zu + %zu", at,
					  len);
			cr_assert_not(was_flushed(addr / 64 - 1));
			cr_assert_not(was_flushed((addr + len - 1) / 64 + 1));
		}
}

Test(arch_guarded, takes_each_line_that_the_range_touches)
{
	struct sigaction action = { .sa_sigaction = on_guarded_fault,
				    .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	each_guarded(check_lines);
}

Test(arch_steps, the_drain_is_one_fence)
{
	struct sigaction action = { .sa_sigaction = on_step,
				    .sa_flags = SA_SIGINFO };
	struct arch_ops ops;

	arch_init(&ops);
	if (!ops.drain)
		cr_skip_test("cannot run here");
	sigaction(SIGTRAP, &action, NULL);
	memset(&seen, 0, sizeof(seen));
	TRAP_FLAG("orq", 0x100);
	ops.drain();
	TRAP_FLAG("andq", ~0x100);
	cr_assert_eq(seen.fences, 1);
}

static void check_goes_through(arch_guarded_fn guarded)
{
	cr_assert(guarded(to + 5, 3 * PAGE, &epoch, epoch));
	cr_assert(guarded(to, 0, &epoch, epoch));
}

Test(arch_guarded, the_same_epoch_flushes_to_the_end)
{
	each_guarded(check_goes_through);
}

static void check_under_steps(arch_guarded_fn guarded)
{
	bool done;

	memset(&seen, 0, sizeof(seen));
	TRAP_FLAG("orq", 0x100);
	done = guarded(to + 64, PAGE, &epoch, epoch);
	TRAP_FLAG("andq", ~0x100);
	cr_assert(done);
	/* The lines lie in two pages; tries that were cut short come on top. */
	cr_assert_geq(seen.flushes, PAGE / 64);
}

Test(arch_guarded, single_steps_do_not_hold_it_up, .timeout = 20)
{
	struct sigaction action = { .sa_sigaction = on_step,
				    .sa_flags = SA_SIGINFO };

	sigaction(SIGTRAP, &action, NULL);
	each_guarded(check_under_steps);
}

static char *volatile withdrawn;
static atomic_bool over;

static void *flush_for_ever(void *arg)
{
	arch_guarded_fn guarded = (arch_guarded_fn)arg;

	while (!over) {
		uint64_t now = epoch;
		char *p = withdrawn;

		if (p)
			guarded(p, 8 * PAGE, &epoch, now);
	}
	return NULL;
}

/* A SIGSEGV would end the test. */
static void check_race(arch_guarded_fn guarded)
{
	pthread_t thread;

	over = false;
	pthread_create(&thread, NULL, flush_for_ever, (void *)guarded);
	for (int i = 0; i < 3000; i++) {
		char *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1,
			       0);

		withdrawn = p;
		if (i % 3)
			sched_yield();
		withdrawn = NULL;
		epoch++;
		cr_assert_eq(syscall(SYS_membarrier, 1 << 7, 0, 0), 0);
		munmap(p, 8 * PAGE);
	}
	over = true;
	pthread_join(thread, NULL);
}

Test(arch_guarded, what_was_withdrawn_is_not_touched)
{
	if (syscall(SYS_membarrier, 1 << 8, 0, 0))
		cr_skip_test("no membarrier for restartable sequences");
	each_guarded(check_race);
}


/* Which vector state is in use: Intel SDM Vol. 1, 13.6, XINUSE. */
static uint64_t xinuse(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
	return (uint64_t)high << 32 | low;
}

/* YMM_Hi128, ZMM_Hi256: what slows SSE code down when it is not zero. */
#define UPPER	(UINT64_C(1) << 2 | UINT64_C(1) << 6)

Test(arch_steps, upper_halves_are_clean_on_return)
{
	unsigned int a, b, c, d;
	struct arch_ops ops;

	arch_init(&ops);
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) ||
	    !__get_cpuid_count(13, 1, &a, &b, &c, &d) || !(a & 4)) {
		fprintf(stderr, "test_arch: no XINUSE here: skipped\n");
		cr_skip_test("no XGETBV with ECX = 1");
	}
	for (size_t i = 0; i < ops.nstreams; i++) {
		const struct arch_stream *s = &ops.streams[i];

		if (!s->usable || !ops.flush[ARCH_CLFLUSH])
			continue;
		for (size_t len = 0; len < 20000; len += len < 600 ? 1 : 97) {
			uint64_t copied, set;

			s->copy(to + 5, from, len, ops.flush[ARCH_CLFLUSH]);
			copied = xinuse();
			s->set(to + 5, 7, len, ops.flush[ARCH_CLFLUSH]);
			set = xinuse();
			cr_assert_eq(copied & UPPER, 0, "%s copy %zu", s->name,
				     len);
			cr_assert_eq(set & UPPER, 0, "%s set %zu", s->name,
				     len);
		}
	}
}

/* Below, at and above what stream.h switches at, whole lines and not. */
static void check_copy(arch_copy_fn copy)
{
	static const size_t around[] = { 1536, 12288, 16384, 65536, 67584,
					 131072, 1 << 20 };
	static unsigned char src[(1 << 20) + 8192], dst[sizeof(src)],
		want[sizeof(src)];

	for (size_t i = 0; i < sizeof(src); i++)
		src[i] = (unsigned char)(i * 31 + (i >> 8));
	for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++)
		for (size_t less = 0; less < 2100; less += 311) {
			size_t len = around[i] + 640 - less;
			size_t to = less % 64, from = less % 57;

			memset(dst, 0xee, len + 128);
			memset(want, 0xee, len + 128);
			memcpy(want + to, src + from, len);
			copy(dst + to, src + from, len, flush_clflush);
			cr_assert_eq(memcmp(dst, want, len + 128), 0,
				     "%zu bytes from %zu to %zu", len, from,
				     to);
		}
}

Test(arch_stream, both_orders_copy_the_same)
{
	struct arch_ops ops;

	arch_init(&ops);
	for (int order = 0; order < 2; order++) {
		stream_in_turn = order;
		for (size_t i = 0; i < ops.nstreams; i++)
			if (ops.streams[i].usable)
				check_copy(ops.streams[i].copy);
	}
}
