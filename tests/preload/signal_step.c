/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parent steps through each call of the child once, to learn the addresses
 * of its instructions, and then lets the child make the same call again for
 * every one of them, with a break point there, where a signal comes in.
 *
 * argv[1]: "work": the handler copies, maps and syncs, and returns.
 *          "jump": the handler leaves by siglongjmp.
 * argv[2]: only every so many of the addresses.
 */
#include "t_preload.h"

#include <setjmp.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#define LEN	(4 * T_PAGE)
#define STEPS	400000
#define POINTS	20000

static char *p, *q;	/* of the program, of the handler */
static int fd, jumps, stride;
static sigjmp_buf back;
static volatile int armed, handled, wrong;
static char from[9000];

#define stop_here() __asm__ volatile("int3" ::: "memory")
#define EXPECT(what)							\
	do {								\
		if (!(what)) {						\
			wrong++;					\
			dprintf(2, "line %d: %s: errno %d\n", __LINE__,	\
				#what, errno);				\
		}							\
	} while (0)

static void use(char *to, int value)
{
	char mine[3000], *m;

	memset(mine, value, sizeof(mine));
	memcpy(to + 5, mine, sizeof(mine));
	EXPECT(memcmp(to + 5, mine, sizeof(mine)) == 0);
	EXPECT(msync(to, T_PAGE, MS_SYNC) == 0);
	m = mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 0);
	EXPECT(m != MAP_FAILED && msync(m, T_PAGE, MS_SYNC) == 0);
	EXPECT(munmap(m, T_PAGE) == 0);
}

static void handler(int number)
{
	int saved = errno;

	(void)number;
	handled++;
	/* Behind the call: the signal was blocked, or is late. */
	if (jumps && armed)
		siglongjmp(back, 1);
	errno = T_ERRNO;
	use(q, handled);
	EXPECT(errno == T_ERRNO);
	errno = saved;
}

/* The calls. Each leaves things as it found them. */

static void call_msync(void) { EXPECT(msync(p, 2 * T_PAGE, MS_SYNC) == 0); }
static void call_async(void) { EXPECT(msync(p, T_PAGE, MS_ASYNC) == 0); }
static void call_memcpy(void) { EXPECT(memcpy(p + 9, from, 1500) == p + 9); }
static void call_memmove(void) { EXPECT(memmove(p + 3, p + 99, 700) == p + 3); }
static void call_memset(void) { EXPECT(memset(p + 1, 3, 5000) == p + 1); }
static void call_protect(void)
{
	EXPECT(mprotect(p + 3 * T_PAGE, T_PAGE, PROT_NONE) == 0);
	EXPECT(mprotect(p + 3 * T_PAGE, T_PAGE, T_RW) == 0);
}
static void call_map(void)
{
	char *m = mmap(NULL, T_PAGE, T_RW, MAP_SHARED, fd, 0);

	EXPECT(m != MAP_FAILED && msync(m, T_PAGE, MS_SYNC) == 0);
	EXPECT(munmap(m, T_PAGE) == 0);
}
static void call_fixed(void)
{
	EXPECT(mmap(p + 2 * T_PAGE, T_PAGE, T_RW, MAP_SHARED | MAP_FIXED, fd,
		    (off_t)(2 * T_PAGE)) == p + 2 * T_PAGE);
}
static void call_remap(void)
{
	EXPECT(mremap(p, LEN, LEN / 2, 0) == p);
	EXPECT(mremap(p, LEN / 2, LEN, 0) == p);
}

static const struct {
	const char *name;
	void (*call)(void);
} calls[] = {
	{ "msync", call_msync }, { "async", call_async },
	{ "memcpy", call_memcpy }, { "memmove", call_memmove },
	{ "memset", call_memset }, { "mprotect", call_protect },
	{ "mmap", call_map }, { "fixed", call_fixed }, { "mremap", call_remap },
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static void prepare(void)
{
	/* Room behind p for it to grow back into. */
	char *room = mmap(NULL, 64 * T_PAGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	fd = t_open("data", 8 * T_PAGE);
	q = mmap(NULL, LEN, T_RW, MAP_SHARED, fd, (off_t)LEN);
	munmap(room, 64 * T_PAGE);
	p = mmap(room, LEN, T_RW, MAP_SHARED | MAP_FIXED, fd, 0);
	T_REQUIRE(p == room && q != MAP_FAILED);
	use(p, 1);
	use(q, 1);
	T_REQUIRE(msync(p, LEN, MS_SYNC) == 0);
}

/* The call between two stops, as often as the parent lets it. */
static void child(size_t which)
{
	T_REQUIRE(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
	signal(SIGUSR1, handler);
	prepare();
	alarm(300);
	for (;;) {
		if (sigsetjmp(back, 1) == 0) {
			armed = 1;
			stop_here();
			calls[which].call();
			stop_here();
			armed = 0;
		} else {
			stop_here();
			armed = 0;
			/* A jump may have left the mapping cut short, or
			 * without a page: made whole, as a program would. */
			T_REQUIRE(mmap(p, LEN, T_RW, MAP_SHARED | MAP_FIXED,
				       fd, 0) == p);
			use(q, handled);
		}
		use(p, 7);
		if (wrong)
			_exit(3);
	}
}

/* The parent. Each returns how the child stopped. */

static int resume(pid_t pid, int how, int number)
{
	int status;

	do {
		T_REQUIRE(ptrace(how, pid, 0, (void *)(long)number) == 0);
		T_REQUIRE(waitpid(pid, &status, 0) == pid);
		/* One that had been blocked where it was given. */
		number = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
	} while (number == SIGUSR1);
	return status;
}

static int is_trap(int status)
{
	return WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}

static unsigned long where(pid_t pid)
{
	struct user_regs_struct regs;

	T_REQUIRE(ptrace(PTRACE_GETREGS, pid, 0, &regs) == 0);
	return regs.rip;
}

static unsigned long points[POINTS];

static int is_known(unsigned long pc, int n)
{
	while (n-- > 0)
		if (points[n] == pc)
			return 1;
	return 0;
}

static int is_stop(pid_t pid, unsigned long pc)
{
	long text = ptrace(PTRACE_PEEKTEXT, pid, pc, 0);

	return (text & 0xff) == 0xcc;
}

/* The child stands at the start of its call; the addresses up to its end. */
static int learn(pid_t pid)
{
	int n = 0;

	for (int i = 0; i < STEPS; i++) {
		unsigned long pc = where(pid);

		if (is_stop(pid, pc))
			return n;
		if (!is_known(pc, n)) {
			T_REQUIRE(n < POINTS);
			points[n++] = pc;
		}
		T_REQUIRE(is_trap(resume(pid, PTRACE_SINGLESTEP, 0)));
	}
	t_die("the call does not end", __LINE__);
	return 0;
}

/* Run to pc, give the signal there, and on to the stop behind the call. */
static int strike(pid_t pid, unsigned long pc)
{
	long text = ptrace(PTRACE_PEEKTEXT, pid, pc, 0);
	struct user_regs_struct regs;
	int status;

	ptrace(PTRACE_POKETEXT, pid, pc, (text & ~0xffL) | 0xcc);
	status = resume(pid, PTRACE_CONT, 0);
	ptrace(PTRACE_POKETEXT, pid, pc, text);
	if (!is_trap(status))
		return status;
	T_REQUIRE(ptrace(PTRACE_GETREGS, pid, 0, &regs) == 0);
	/* Not met this time: it stands behind the call already. */
	if (regs.rip != pc + 1)
		return status;
	regs.rip = pc;
	T_REQUIRE(ptrace(PTRACE_SETREGS, pid, 0, &regs) == 0);
	return resume(pid, PTRACE_CONT, SIGUSR1);
}

/* 1 when the child was right at every point of the call. */
static int judge(size_t which)
{
	pid_t pid = fork();
	int status, n, done = 0;

	if (pid == 0)
		child(which);
	T_REQUIRE(waitpid(pid, &status, 0) == pid && is_trap(status));
	/* Twice without anything, so that nothing is new. */
	for (int i = 0; i < 4; i++)
		T_REQUIRE(is_trap(resume(pid, PTRACE_CONT, 0)));
	n = learn(pid);
	/* It is before the end of a call, or at it: on to the next start. */
	T_REQUIRE(is_trap(resume(pid, PTRACE_CONT, 0)));
	status = resume(pid, PTRACE_CONT, 0);
	for (int i = 0; i < n && is_trap(status); i += stride, done++) {
		status = strike(pid, points[i]);
		if (is_trap(status))
			status = resume(pid, PTRACE_CONT, 0);
	}
	dprintf(2, "%s: %d points of %d\n", calls[which].name, done, n);
	if (!is_trap(status))
		dprintf(2, "%s: the last at %#lx: status %#x\n",
			calls[which].name, points[(done - 1) * stride], status);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return is_trap(status);
}

int main(int argc, char **argv)
{
	jumps = !strcmp(argv[1], "jump");
	stride = argc > 2 ? atoi(argv[2]) : 1;
	for (size_t i = 0; i < CALLS; i++)
		printf("%s %s\n", calls[i].name, judge(i) ? "right" : "WRONG");
	return 0;
}
