/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copies and sets, stepped through; at each instruction in turn the destination
 * loses its access, as by another thread. The fault that follows must name a
 * byte of the destination, as libc's would: a host may look it up.
 */
#include "t_preload.h"

#include <setjmp.h>
#include <ucontext.h>

#define TRAP_FLAG	0x100
#define STEPS		100000

static char *map;
static char from[2 * T_PAGE];
static char *to;
static size_t len;
static volatile long steps, last;	/* so far, and where it is withdrawn */
static int outside;
static sigjmp_buf back;

static void protect(int prot)
{
	/* The shim is not asked, as it is not when it is overtaken. */
	T_REQUIRE(syscall(SYS_mprotect, map, 2 * T_PAGE, prot) == 0);
}

static void on_trap(int number, siginfo_t *info, void *context)
{
	ucontext_t *at = context;

	(void)number;
	(void)info;
	if (++steps < last)
		return;
	protect(PROT_NONE);
	at->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	char *addr = info->si_addr;

	(void)number;
	(void)context;
	if (addr < to || addr >= to + len) {
		outside++;
		dprintf(2, "%zu bytes at %p, step %ld: a fault at %p\n", len,
			(void *)to, last, (void *)addr);
	}
	siglongjmp(back, 1);
}

/* The red zone is the compiler's. */
#define set_flags(change)						\
	__asm__ volatile("leaq -128(%%rsp), %%rsp\n\tpushfq\n\t" change	\
			 "\n\tpopfq\n\tleaq 128(%%rsp), %%rsp"		\
			 ::: "memory", "cc")

static void copy(void) { memcpy(to, from, len); }
static void set(void) { memset(to, 7, len); }

/* How many instructions could be interrupted. */
static long judge(void (*call)(void))
{
	volatile long faults = 0;

	for (last = 1; last < STEPS; last++) {
		protect(T_RW);
		steps = 0;
		if (sigsetjmp(back, 1) == 0) {
			set_flags("orl $0x100, (%%rsp)");
			call();
			set_flags("andl $~0x100, (%%rsp)");
			if (steps < last)
				return faults;
		} else {
			faults++;
		}
	}
	t_die("the call does not end", __LINE__);
}

static void judge_both(size_t at, size_t n)
{
	to = map + at;
	len = n;
	outside = 0;
	long faults = judge(copy) + judge(set);

	dprintf(2, "%zu bytes: %ld faults\n", n, faults);
	printf("%zu bytes at %zu: %s, %d outside\n", n, at,
	       faults > 0 ? "faults" : "no fault", outside);
}

int main(void)
{
	struct sigaction trap = { .sa_sigaction = on_trap,
				  .sa_flags = SA_SIGINFO };
	struct sigaction fault = { .sa_sigaction = on_fault,
				   .sa_flags = SA_SIGINFO };

	map = t_map_synced(t_open("data", 2 * T_PAGE), 2 * T_PAGE);
	sigaction(SIGTRAP, &trap, NULL);
	sigaction(SIGSEGV, &fault, NULL);
	judge_both(11, 70);
	judge_both(60, 70);
	judge_both(127, 130);
	judge_both(75, 250);
	judge_both(11, 700);
	/* From 2 KiB on libc has an instruction for each byte. */
	judge_both(63, 1700);
	return 0;
}
