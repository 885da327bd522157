/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * faults.c: a kernel that fails, put under the shim by ptrace(2).
 *
 * Design: host.c runs bare, then under the shim, and the system calls of both
 * are noted. A call is the shim's own when it is made by libc's syscall() or
 * through another function of libc, called from the shim's code (the return
 * address on the stack tells), and the program did not ask for it. Each of
 * the shim's calls then fails in turn, once and from there on, with each
 * ending that errors.def has for it: the program's output, its exit status and
 * its files must be what they are bare. Each of the program's own calls fails
 * too, with and without the shim, and both must be the same.
 *
 * The msync rule: where the program's msync reached the kernel without a
 * fault it reaches it with one; where it was persisted after a commit of
 * metadata, there is a commit that succeeded, or it reaches it. An msync that
 * failed is followed by one that reaches the kernel.
 *
 * Worlds: files taken for persistent memory (assume); a kernel that says its
 * files are DAX and grants MAP_SYNC (granted: the flags are rewritten on the
 * way); one that refuses it as ext4 does, after MAP_FIXED has unmapped what
 * was there (refused).
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/mman.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/faults/step.h"

#define CALLS_MAX	4096
#define STEPS_MAX	256
#define TEXT_MAX	32768
#define ENDINGS_MAX	32
#define DAX_ATTRIBUTE	0x00200000
#define LOWEST_STOP	(SIGTRAP | 0x80)

static const struct ending {
	int nr;
	const char *name;
	int endings[ENDINGS_MAX];	/* up to END */
} endings[] = {
#define END 0x7fffffff
#define CALL(name, ...) { SYS_##name, #name, { __VA_ARGS__, END } },
#include "tests/faults/errors.def"
#undef CALL
};
#define NENDINGS (sizeof(endings) / sizeof(endings[0]))

enum world { ASSUME, GRANTED, REFUSED, WORLDS };
static const char *const world_names[] = { "assume", "granted", "refused" };

/* Whose call it is. */
enum owner { NOBODYS, SHIMS, PROGRAMS };

struct call {
	int nr;
	enum owner owner;
	int step;
	int index;	/* among the owner's calls of that number; of a
			   program's, among those of the step */
};

struct fault {
	struct call at;
	bool from_there_on;
	bool after;		/* the call is made, and said to have failed */
	long result;
};

struct run {
	struct call calls[CALLS_MAX];
	int ncalls;
	bool synced[STEPS_MAX];		/* the program's msync was made */
	bool committed[STEPS_MAX];	/* one of the shim's, and succeeded */
	bool failed_sync[STEPS_MAX];
	int kind[STEPS_MAX];
	int step;
	int met;			/* faults that came to pass */
	int status;			/* of wait; -1: it hung */
	char out[TEXT_MAX], err[TEXT_MAX];
};

static const char *host, *shim;
static char dir[] = "/dev/shm/pmemshim-faults.XXXXXX";
static bool verbose, first_only;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/*
 * Whose code is where
 */

static struct range {
	uintptr_t start, end;
	enum { OF_SHIM, OF_LIBC, OF_OTHERS } of;
} ranges[64];
static int nranges;
static bool all_are_known;
static uintptr_t syscall_start;	/* of libc's syscall(), in the program */

static uintptr_t offset_in_libc(const void *function)
{
	Dl_info info;

	if (!dladdr(function, &info))
		die("dladdr");
	return (uintptr_t)function - (uintptr_t)info.dli_fbase;
}

static void read_ranges(pid_t pid)
{
	char line[512], name[64];
	bool shim_seen = false;
	FILE *maps;

	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	maps = fopen(name, "r");
	nranges = 0;
	syscall_start = 0;
	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long start, end, offset;
		char access[8];

		if (sscanf(line, "%lx-%lx %7s %lx", &start, &end, access,
			   &offset) != 4)
			continue;
		if (strstr(line, "/libc.so.6") && offset == 0)
			syscall_start = start + offset_in_libc((void *)syscall);
		if (access[2] != 'x' || nranges == 64)
			continue;
		ranges[nranges++] = (struct range){
			start, end,
			strstr(line, "libpmemshim") ? OF_SHIM :
			strstr(line, "/libc.so.6") ? OF_LIBC : OF_OTHERS };
		shim_seen |= ranges[nranges - 1].of == OF_SHIM;
	}
	/* libc is mapped after what is preloaded. */
	all_are_known = shim_seen && syscall_start;
	if (maps)
		fclose(maps);
}

static const struct range *range_of(uintptr_t addr)
{
	for (int i = 0; i < nranges; i++)
		if (addr >= ranges[i].start && addr < ranges[i].end)
			return &ranges[i];
	return NULL;
}

static size_t peek(pid_t pid, uintptr_t from, void *to, size_t len)
{
	struct iovec here = { to, len }, there = { (void *)from, len };
	ssize_t n = process_vm_readv(pid, &here, 1, &there, 1, 0);

	return n < 0 ? 0 : (size_t)n;
}

static void poke(pid_t pid, uintptr_t to, void *from, size_t len)
{
	struct iovec here = { from, len }, there = { (void *)to, len };

	if (process_vm_writev(pid, &here, 1, &there, 1, 0) < 0)
		die("process_vm_writev");
}

/* Whether a call instruction ends at addr: e8 rel32, or ff /2 of 2 to 7. */
static bool follows_a_call(pid_t pid, uintptr_t addr)
{
	unsigned char code[7];

	if (peek(pid, addr - 7, code, 7) != 7)
		return false;
	if (code[2] == 0xe8)
		return true;
	for (int i = 0; i < 6; i++)
		if (code[i] == 0xff && (code[i + 1] & 0x38) == 0x10)
			return true;
	return false;
}

/* The nearest code up the stack that is not libc's. */
static bool called_from_shim(pid_t pid, uintptr_t sp)
{
	uintptr_t words[512];
	size_t n = peek(pid, sp, words, sizeof(words)) / sizeof(words[0]);

	for (size_t i = 0; i < n; i++) {
		const struct range *range = range_of(words[i]);

		if (range && range->of != OF_LIBC &&
		    follows_a_call(pid, words[i]))
			return range->of == OF_SHIM;
	}
	return false;
}

static bool is_interposed(int nr)
{
	return nr == SYS_mmap || nr == SYS_munmap || nr == SYS_mremap ||
	       nr == SYS_mprotect || nr == SYS_madvise || nr == SYS_msync ||
	       nr == SYS_mlock || nr == SYS_ftruncate;
}

static enum owner owner_of(pid_t pid, const struct user_regs_struct *regs,
			   int step)
{
	int nr = (int)regs->orig_rax;
	bool raw = regs->rip - syscall_start < 64;
	bool ours;

	if (!all_are_known)
		read_ranges(pid);
	ours = all_are_known && called_from_shim(pid, regs->rsp);
	if (ours && (raw || !is_interposed(nr) ||
		     (nr == SYS_mmap && (regs->r10 & MAP_SYNC))))
		return SHIMS;
	/* fork(2) past the handlers, and markers, are not to fail. */
	return is_interposed(nr) && !raw && step > 0 ? PROGRAMS : NOBODYS;
}

/*
 * One run
 */

static void stop_at_calls(void)
{
	struct sock_filter filter[NENDINGS + 4];
	struct sock_fprog program = { .filter = filter };
	unsigned short n = 0;

	filter[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i <= NENDINGS; i++) {
		unsigned int nr = i < NENDINGS ? (unsigned int)endings[i].nr
					       : FAULTS_STEP;

		filter[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, nr,
			(unsigned char)(NENDINGS - i + 1), 0);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						   SECCOMP_RET_ALLOW);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						   SECCOMP_RET_TRACE);
	program.len = n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp");
}

static int memory_file(void)
{
	int fd = memfd_create("faults", 0);

	if (fd < 0)
		die("memfd_create");
	return fd;
}

static void start(const char *files, enum world world, bool under_shim,
		  int out, int err)
{
	char where[256], paths[512], preload[512], stats[256];
	char *argv[] = { (char *)host, NULL };
	char *env[6];
	int n = 0;

	snprintf(where, sizeof(where), "T_FILES=%s", files);
	snprintf(paths, sizeof(paths),
		 "PMEMSHIM_PATHS=auto;%s,mode=flush,refresh=0,copy_min=256%s",
		 files,
		 world == ASSUME ? ",assume_pmem=yes" : "");
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", shim);
	snprintf(stats, sizeof(stats), "PMEMSHIM_STATS=%s/stats", files);
	env[n++] = where;
	if (under_shim) {
		env[n++] = paths;
		env[n++] = preload;
		env[n++] = stats;
	}
	env[n] = NULL;
	dup2(out, 1);
	dup2(err, 2);
	personality(ADDR_NO_RANDOMIZE);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	stop_at_calls();
	execve(host, argv, env);
	_exit(127);
}

static void take_text(int fd, char *text)
{
	ssize_t n = pread(fd, text, TEXT_MAX - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	close(fd);
}

static void note_step(struct run *run, const struct user_regs_struct *regs)
{
	int step = (int)regs->rdi;

	if (step <= 0 || step >= STEPS_MAX)
		return;
	run->step = step;
	run->kind[step] = (int)regs->rsi;
}

/* Enter the call in the list. */
static struct call *note_call(struct run *run, int nr, enum owner owner)
{
	struct call *call = &run->calls[run->ncalls];

	if (run->ncalls == CALLS_MAX)
		die("too many calls");
	*call = (struct call){ nr, owner, run->step, 0 };
	for (int i = 0; i < run->ncalls; i++)
		call->index += run->calls[i].nr == nr &&
			       run->calls[i].owner == owner &&
			       (owner == SHIMS ||
				run->calls[i].step == run->step);
	run->ncalls++;
	return call;
}

static bool is_hit(const struct fault *fault, const struct call *call)
{
	return call->nr == fault->at.nr && call->owner == fault->at.owner &&
	       (fault->from_there_on ?
			call->index >= fault->at.index :
			call->index == fault->at.index) &&
	       (call->owner == SHIMS || call->step == fault->at.step);
}

static const struct fault *fault_for(const struct call *call,
				     const struct fault *faults, int nfaults)
{
	for (int i = 0; i < nfaults; i++)
		if (is_hit(&faults[i], call))
			return &faults[i];
	return NULL;
}

static void end_call(pid_t pid, struct user_regs_struct *regs, long result)
{
	regs->orig_rax = (unsigned long long)-1;
	regs->rax = (unsigned long long)result;
	ptrace(PTRACE_SETREGS, pid, 0, regs);
}

/* Let the call be made; its registers when it is over. */
static bool finish_call(pid_t pid, struct user_regs_struct *regs)
{
	int status;

	ptrace(PTRACE_SYSCALL, pid, 0, 0);
	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status) ||
	    WSTOPSIG(status) != LOWEST_STOP)
		return false;
	ptrace(PTRACE_GETREGS, pid, 0, regs);
	return true;
}

/* statx(2) on a kernel whose files are DAX. */
static void say_dax(pid_t pid, struct user_regs_struct *regs)
{
	uint64_t told[2];	/* attributes, and the mask after them */
	uintptr_t where = regs->r8;

	if (!finish_call(pid, regs) || (long)regs->rax != 0)
		return;
	peek(pid, where + offsetof(struct statx, stx_attributes), told, 8);
	peek(pid, where + offsetof(struct statx, stx_attributes_mask),
	     told + 1, 8);
	told[0] |= DAX_ATTRIBUTE;
	told[1] |= DAX_ATTRIBUTE;
	poke(pid, where + offsetof(struct statx, stx_attributes), told, 8);
	poke(pid, where + offsetof(struct statx, stx_attributes_mask),
	     told + 1, 8);
}

static void grant(pid_t pid, struct user_regs_struct *regs)
{
	regs->r10 = (regs->r10 & ~(unsigned long long)(MAP_SYNC | MAP_TYPE)) |
		    MAP_SHARED;
	ptrace(PTRACE_SETREGS, pid, 0, regs);
}

/* As ext4: too late. */
static void refuse(pid_t pid, struct user_regs_struct *regs)
{
	if (!(regs->r10 & MAP_FIXED)) {
		end_call(pid, regs, -EOPNOTSUPP);
		return;
	}
	regs->orig_rax = SYS_munmap;
	ptrace(PTRACE_SETREGS, pid, 0, regs);
	if (!finish_call(pid, regs))
		return;
	regs->rax = (unsigned long long)-EOPNOTSUPP;
	ptrace(PTRACE_SETREGS, pid, 0, regs);
}

static void note_sync(struct run *run, pid_t pid,
		      struct user_regs_struct *regs, const struct call *call,
		      bool failed)
{
	if (call->owner == PROGRAMS) {
		run->synced[call->step] = true;
		run->failed_sync[call->step] = failed;
	} else if (call->owner == SHIMS && !failed && finish_call(pid, regs) &&
		   (long)regs->rax == 0) {
		run->committed[call->step] = true;
	}
}

static void on_call(pid_t pid, enum world world, const struct fault *faults,
		    int nfaults, struct run *run)
{
	const struct fault *fault;
	struct user_regs_struct regs;
	struct call *call;
	int nr;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs))
		return;
	nr = (int)regs.orig_rax;
	if (nr == FAULTS_STEP) {
		note_step(run, &regs);
		return;
	}
	call = note_call(run, nr, owner_of(pid, &regs, run->step));
	fault = fault_for(call, faults, nfaults);
	run->met += fault != NULL;
	if (fault && !fault->after) {
		if (nr == SYS_msync)
			note_sync(run, pid, &regs, call, true);
		end_call(pid, &regs, fault->result);
		return;
	}
	if (fault && finish_call(pid, &regs)) {
		regs.rax = (unsigned long long)fault->result;
		ptrace(PTRACE_SETREGS, pid, 0, &regs);
	} else if (nr == SYS_statx && world != ASSUME && call->owner == SHIMS) {
		say_dax(pid, &regs);
	} else if (nr == SYS_mmap && (regs.r10 & MAP_SYNC) && world != ASSUME) {
		(world == GRANTED ? grant : refuse)(pid, &regs);
	} else if (nr == SYS_msync) {
		note_sync(run, pid, &regs, call, false);
	}
}

static volatile sig_atomic_t late;
static pid_t running;

static void on_alarm(int sig)
{
	(void)sig;
	late = 1;
	kill(running, SIGKILL);
}

/* Stops until the program is over; its children end with it. */
static void follow(pid_t child, enum world world, const struct fault *faults,
		   int nfaults, struct run *run)
{
	pid_t known[16] = { child };
	int nknown = 1, status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int sig = 0, i;

		if (!WIFSTOPPED(status)) {
			if (pid == child)
				run->status = status;
			continue;
		}
		for (i = 0; i < nknown && known[i] != pid; i++)
			;
		if (i == nknown && nknown < 16)
			known[nknown++] = pid;
		else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
			on_call(pid, world, faults, nfaults, run);
		else if (status >> 16 == 0 && WSTOPSIG(status) != LOWEST_STOP)
			sig = WSTOPSIG(status);
		ptrace(PTRACE_CONT, pid, 0, sig);
	}
}

static void run_host(const char *files, enum world world, bool under_shim,
		     const struct fault *faults, int nfaults, struct run *run)
{
	const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD |
			     PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
			     PTRACE_O_EXITKILL;
	int out = memory_file(), err = memory_file(), status;
	char path[256];
	pid_t child;

	memset(run, 0, offsetof(struct run, out));
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = { "data", "other", "stats" };

		snprintf(path, sizeof(path), "%s/%s", files, names[i]);
		unlink(path);
	}
	child = fork();
	if (child == 0)
		start(files, world, under_shim, out, err);
	if (child < 0 || waitpid(child, &status, 0) != child ||
	    ptrace(PTRACE_SETOPTIONS, child, 0, options))
		die("ptrace");
	late = 0;
	running = child;
	alarm(20);
	ptrace(PTRACE_CONT, child, 0, 0);
	follow(child, world, faults, nfaults, run);
	alarm(0);
	if (late)
		run->status = -1;
	take_text(out, run->out);
	take_text(err, run->err);
}

/*
 * The judgement
 */

/* NULL, or what is wrong with the standard error: only warnings are right. */
static const char *judge_warnings(const char *err)
{
	int lines = 0;

	for (const char *p = err; *p; lines++) {
		if (strncmp(p, "libpmemshim: ", 13))
			return "there is something on stderr";
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	return lines > 4 ? "more than four lines on stderr" : NULL;
}

/* What is left in /proc at the end is the shim's affair when a call failed
 * that gives it back. */
static bool same_text(const char *a, const char *b)
{
	const char *x = strstr(a, "left("), *y = strstr(b, "left(");

	if (!x || !y)
		return strcmp(a, b) == 0;
	return x - a == y - b && strncmp(a, b, (size_t)(x - a)) == 0;
}

static bool gives_back(const struct fault *fault)
{
	int nr = fault->at.nr;

	return nr == SYS_munmap ||
	       (fault->at.owner == SHIMS &&
		(nr == SYS_fcntl || nr == SYS_fstat || nr == SYS_close));
}

static bool same_output(const struct run *want, const struct run *got,
			const struct fault *faults, int nfaults)
{
	for (int i = 0; i < nfaults; i++)
		if (gives_back(&faults[i]))
			return same_text(want->out, got->out);
	return strcmp(want->out, got->out) == 0;
}

/*
 * Where the kernel was reached it still is; base: under the shim, no fault.
 * follows: the program does what it does there.
 */
static const char *judge_syncs(const struct run *base, const struct run *got,
			       bool follows)
{
	for (int s = 1; s < STEPS_MAX - 1; s++) {
		if (follows && base->synced[s] && !got->synced[s])
			return "an msync did not reach the kernel";
		if (follows && base->committed[s] && !got->committed[s] &&
		    !got->synced[s])
			return "metadata was not committed";
		if (got->failed_sync[s] &&
		    got->kind[s] == FAULTS_FIRST &&
		    got->kind[s + 1] == FAULTS_AGAIN && !got->synced[s + 1] &&
		    !got->committed[s + 1])
			return "a failed msync was followed by one from user space";
	}
	return NULL;
}

static const char *judge(const struct run *want, const struct run *base,
			 const struct run *got, const struct fault *faults,
			 int nfaults)
{
	const char *problem = NULL;

	if (got->status == -1)
		problem = "it hangs";
	else if (WIFSIGNALED(got->status) && !WIFSIGNALED(want->status))
		problem = "it crashes";
	else if (got->status != want->status)
		problem = "the exit status differs";
	else if (!same_output(want, got, faults, nfaults))
		problem = "the output differs";
	if (!problem)
		problem = judge_warnings(got->err);
	if (!problem && nfaults)
		problem = judge_syncs(base, got,
				      faults[0].at.owner == SHIMS ||
				      faults[0].at.nr == SYS_msync);
	return problem;
}

static const char *name_of(int nr)
{
	for (size_t i = 0; i < NENDINGS; i++)
		if (endings[i].nr == nr)
			return endings[i].name;
	return "?";
}

static void show_difference(const char *want, const char *got)
{
	while (*want && *want == *got) {
		want++;
		got++;
	}
	while (*want != '\n' && *want) {
		want++;
		got += *got != '\0';
	}
	printf("    the first line that differs ends before:%.200s\n    ...%.200s\n",
	       want, got);
}

static void show_fault(const struct fault *fault)
{
	printf(" %s %s %d", fault->at.owner == SHIMS ? "the shim's"
						     : "the program's",
	       name_of(fault->at.nr), fault->at.index);
	if (fault->at.owner == PROGRAMS || fault->at.step)
		printf(" in step %d", fault->at.step);
	printf("%s%s gives %s", fault->from_there_on ? " and all later" : "",
	       fault->after ? " (made)" : "",
	       fault->result < 0 ? strerrorname_np((int)-fault->result) : "");
	if (fault->result >= 0)
		printf("%ld", fault->result);
}

static void complain(enum world world, const struct fault *faults, int nfaults,
		     const char *problem, const struct run *want,
		     const struct run *got)
{
	printf("FAIL %s", world_names[world]);
	for (int i = 0; i < nfaults; i++) {
		printf(i ? " and" : ":");
		show_fault(&faults[i]);
	}
	printf(": %s\n", problem);
	if (verbose) {
		show_difference(want->out, got->out);
		printf("    stderr: %.400s\n    status %#x step %d\n", got->err,
		       got->status, got->step);
	}
	fflush(stdout);
}

/*
 * All cases
 */

struct shared {
	_Atomic long cases, failed, unmet;
};
static struct shared *shared;

struct scene {
	enum world world;
	struct run bare, base;		/* without a fault */
};

static int workers = 2, worker;
static long turn;
static char files[256];

/* Cases are dealt out in turn. */
static bool is_mine(void)
{
	return turn++ % workers == worker;
}

static void try_faults(struct scene *scene, const struct fault *faults,
		       int nfaults)
{
	static struct run got, want;
	const struct run *expected = &scene->bare;
	const char *problem;

	if (!is_mine() || (first_only && shared->failed))
		return;
	if (faults[0].at.owner == PROGRAMS) {
		run_host(files, scene->world, false, faults, nfaults, &want);
		if (want.met)
			expected = &want;
	}
	run_host(files, scene->world, true, faults, nfaults, &got);
	shared->cases++;
	shared->unmet += got.met == 0;
	problem = judge(expected, &scene->base, &got, faults, nfaults);
	if (!problem)
		return;
	shared->failed++;
	complain(scene->world, faults, nfaults, problem, expected, &got);
}

static const struct ending *endings_of(int nr)
{
	for (size_t i = 0; i < NENDINGS; i++)
		if (endings[i].nr == nr)
			return &endings[i];
	return NULL;
}

static struct fault make_fault(const struct call *call, long result)
{
	return (struct fault){ .at = *call, .result = result,
			       /* Linux has closed it whatever it says. */
			       .after = call->nr == SYS_close };
}

/* few: of the endings only the first, the last two and one that turns. */
static void try_call(struct scene *scene, const struct call *call, bool few)
{
	const struct ending *ending = endings_of(call->nr);
	int n = 0;

	while (ending && ending->endings[n] != END)
		n++;
	for (int i = 0; i < n; i++) {
		struct fault fault = make_fault(call, ending->endings[i]);

		if (few && i != call->index % n && i < n - 2)
			continue;
		try_faults(scene, &fault, 1);
		fault.from_there_on = true;
		/* No kernel interrupts for ever, or reads and writes nothing. */
		if (call->owner == SHIMS && call->index == 0 &&
		    fault.result != -EINTR && fault.result < 0)
			try_faults(scene, &fault, 1);
	}
}

/* Two at once, by a seed. */
static void try_pairs(struct scene *scene, int n)
{
	unsigned int seed = 1;

	for (int i = 0; i < n; i++) {
		struct fault faults[2];
		int k = 0;

		while (k < 2) {
			const struct call *call = &scene->base.calls[
				rand_r(&seed) % scene->base.ncalls];
			const struct ending *ending = endings_of(call->nr);

			if (!ending || call->owner != SHIMS)
				continue;
			faults[k] = make_fault(call, ending->endings[0]);
			faults[k++].from_there_on = rand_r(&seed) % 2;
		}
		try_faults(scene, faults, 2);
	}
}

static void try_all(struct scene *scene, bool few)
{
	for (int i = 0; i < scene->base.ncalls; i++)
		if (scene->base.calls[i].owner != NOBODYS)
			try_call(scene, &scene->base.calls[i], few);
	try_pairs(scene, few ? 60 : 600);
}

/* The runs without a fault; false when they differ already. */
static bool set_scene(struct scene *scene)
{
	const char *problem;
	int own = 0, asked = 0;

	run_host(files, scene->world, false, NULL, 0, &scene->bare);
	run_host(files, scene->world, true, NULL, 0, &scene->base);
	/* What the clock alone decides is not to be expected. */
	for (int i = 0; i < 4; i++) {
		static struct run again;

		run_host(files, scene->world, true, NULL, 0, &again);
		for (int s = 0; s < STEPS_MAX; s++)
			scene->base.committed[s] &= again.committed[s];
	}
	problem = judge(&scene->bare, &scene->base, &scene->base, NULL, 0);
	for (int i = 0; i < scene->base.ncalls; i++) {
		own += scene->base.calls[i].owner == SHIMS;
		asked += scene->base.calls[i].owner == PROGRAMS;
	}
	if (!problem && (!WIFEXITED(scene->bare.status) ||
			 WEXITSTATUS(scene->bare.status) != 42))
		problem = "the bare program does not end with 42";
	for (int s = 0; s < STEPS_MAX && !problem; s++)
		if (scene->world == REFUSED && scene->bare.synced[s] &&
		    !scene->base.synced[s])
			problem = "an msync of a mapping without MAP_SYNC did not reach the kernel";
	if (!problem && own < 20)
		problem = "hardly any call of the shim was seen";
	if (problem)
		complain(scene->world, NULL, 0, problem, &scene->bare,
			 &scene->base);
	else
		printf("%s: %d calls of the shim, %d of the program\n",
		       world_names[scene->world], own, asked);
	fflush(stdout);
	return !problem;
}

static void list_calls(const struct run *run)
{
	for (int i = 0; i < run->ncalls; i++)
		if (run->calls[i].owner != NOBODYS)
			printf("  step %3d %s %s %d\n", run->calls[i].step,
			       run->calls[i].owner == SHIMS ? "shim   "
							    : "program",
			       name_of(run->calls[i].nr), run->calls[i].index);
	for (int s = 0; s < STEPS_MAX; s++)
		if (run->synced[s] || run->committed[s])
			printf("  step %3d%s%s\n", s,
			       run->synced[s] ? " synced" : "",
			       run->committed[s] ? " committed" : "");
	printf("%s%s", run->out, run->err);
}

static void work(struct scene *scene, int number, bool few)
{
	worker = number;
	turn = 0;
	snprintf(files, sizeof(files), "%s/%d", dir, number);
	try_all(scene, few);
	exit(0);
}

static void clean_up(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		fprintf(stderr, "faults: %s is left\n", dir);
}

static void usage(void)
{
	puts("usage: faults [-v] [--list] [--full] [--first] [-j N] [--world NAME] HOST SHIM\n"
	     "  --list   the calls and who makes them, without faults\n"
	     "  --full   every ending of every call, and more pairs\n"
	     "  --first  stop at the first failure\n"
	     "  -v       show what differs\n"
	     "  -j N     N cases at a time (2)");
	exit(2);
}

int main(int argc, char **argv)
{
	static struct scene scene;
	bool list = false, full = false;
	const char *only = NULL;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-v"))
			verbose = true;
		else if (!strcmp(argv[i], "--list"))
			list = true;
		else if (!strcmp(argv[i], "--full"))
			full = true;
		else if (!strcmp(argv[i], "--first"))
			first_only = true;
		else if (!strcmp(argv[i], "--world") && i + 1 < argc)
			only = argv[++i];
		else if (!strcmp(argv[i], "-j") && i + 1 < argc)
			workers = atoi(argv[++i]);
		else
			usage();
	}
	if (argc - i != 2 || workers < 1)
		usage();
	host = argv[i];
	shim = argv[i + 1];
	if (!mkdtemp(dir))
		die(dir);
	for (int w = 0; w < workers; w++) {
		snprintf(files, sizeof(files), "%s/%d", dir, w);
		if (mkdir(files, 0700))
			die(files);
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	signal(SIGALRM, on_alarm);
	for (int w = 0; w < WORLDS; w++) {
		scene.world = (enum world)w;
		snprintf(files, sizeof(files), "%s/0", dir);
		if (only && strcmp(only, world_names[w]))
			continue;
		if (!set_scene(&scene)) {
			shared->failed++;
			if (list)
				list_calls(&scene.base);
			continue;
		}
		if (list) {
			list_calls(&scene.base);
			continue;
		}
		for (int k = 0; k < workers; k++)
			if (fork() == 0)
				work(&scene, k, !full);
		while (wait(NULL) > 0)
			;
	}
	clean_up();
	if (shared->unmet)
		printf("%ld faults never came to pass\n", shared->unmet);
	printf("faults: %ld passed, %ld failed, 0 skipped\n",
	       shared->cases - shared->failed, shared->failed);
	return shared->failed > 0 || (!list && shared->cases == 0);
}
