/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * host.c: the program that faults.c runs, bare and under the shim, on kernels
 * that fail. What it prints must be the same.
 *
 * Design: STEP tells the tracer, by a system call that does not exist, which
 * step begins, so that "the mmap of step 7 fails" means the same with and
 * without the shim. FIRST and AGAIN mark two msync calls of one range in a row:
 * when the kernel failed the first, the second must reach it again. Addresses
 * and descriptors are never printed. No stdio: its buffers would be mapped.
 */
#include "tests/faults/step.h"
#include "tests/support/t_preload.h"

void *__memcpy_chk(void *, const void *, size_t, size_t);

static int step;

#define MARK(kind)	syscall(FAULTS_STEP, ++step, (kind))
#define STEP		MARK(FAULTS_OTHER)
#define DO(call)	do { STEP; SAY(call); } while (0)
#define FIRST(call)	do { MARK(FAULTS_FIRST); SAY(call); } while (0)
#define AGAIN(call)	do { MARK(FAULTS_AGAIN); SAY(call); } while (0)
#define TWICE(call)	do { FIRST(call); AGAIN(call); } while (0)
#define MAP(where, call) do { STEP; SAY_MAP(where, call); } while (0)

#define PAGES		8
#define LEN		(PAGES * T_PAGE)

static char *m = MAP_FAILED, *q = MAP_FAILED, *r = MAP_FAILED;
static char source[3 * T_PAGE];
static int data, other;

/* Until the clock that stamps inodes has moved on, twice to be sure. */
static void tick(void)
{
	struct timespec then, now, pause = { 0, 1000000 };

	for (int i = 0; i < 2; i++) {
		clock_gettime(CLOCK_REALTIME_COARSE, &then);
		do {
			nanosleep(&pause, NULL);
			clock_gettime(CLOCK_REALTIME_COARSE, &now);
		} while (now.tv_sec == then.tv_sec &&
			 now.tv_nsec == then.tv_nsec);
	}
}

static void touch(char *p, size_t len)
{
	if (p == MAP_FAILED)
		return;
	for (size_t i = 0; i < len; i += T_PAGE)
		((volatile char *)p)[i]++;
	tick();
}

/* A digest of what read(2) finds. */
static long contents(int fd)
{
	unsigned long sum = 5381;
	char page[T_PAGE];
	ssize_t n;

	for (off_t at = 0; (n = pread(fd, page, sizeof(page), at)) > 0; at += n)
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 33 + (unsigned char)page[i];
	return (long)(sum & 0xffffff);
}

static int has(const char *p, int byte)
{
	return p == MAP_FAILED ? -1 : *(const volatile char *)p == byte;
}

static void open_files(void)
{
	data = t_open("data", LEN);
	other = t_open("other", 2 * T_PAGE);
}

/* The first mapping of all is over another, which a failure must leave. */
static void first(void)
{
	char *place = mmap(NULL, T_PAGE, T_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p;

	place[0] = 'p';
	MAP(p, mmap(place, T_PAGE, T_RW, MAP_SHARED | MAP_FIXED, other, 0));
	SAY(p == MAP_FAILED || p == place);
	SAY(has(place, 'p'));
	DO(munmap(place, T_PAGE));
}

static void syncs(void)
{
	MAP(m, mmap(NULL, LEN, T_RW, MAP_SHARED, data, 0));
	touch(m, LEN);
	TWICE(msync(m, LEN, MS_SYNC));
	if (m != MAP_FAILED)
		m[70] = 'a';
	DO(msync(m, 3 * T_PAGE, MS_SYNC));
	SAY(pwrite(data, "written", 7, 5000));
	tick();
	TWICE(msync(m, LEN, MS_SYNC));
	SAY(ftruncate(data, (off_t)(LEN + T_PAGE)));
	tick();
	TWICE(msync(m, LEN, MS_SYNC));
	DO(msync(m, LEN, MS_ASYNC));
	DO(msync(m, 0, MS_SYNC));
	DO(msync(m, T_PAGE, 8));
	DO(msync(m, T_PAGE, MS_SYNC | MS_ASYNC));
	DO(msync(m + 1, T_PAGE, MS_SYNC));
	DO(msync(m, LEN, MS_SYNC | MS_INVALIDATE));
}

static void copies(void)
{
	for (size_t i = 0; i < sizeof(source); i++)
		source[i] = (char)(i * 7 + i / 251);
	if (m == MAP_FAILED)
		return;
	STEP;
	memcpy(m + 100, source, 5000);
	SAY(memcmp(m + 100, source, 5000));
	memmove(m + 300, m + 100, 3000);
	SAY(memcmp(m + 300, source, 3000));
	memset(m + 7000, 'x', 2000);
	SAY(has(m + 8999, 'x'));
	__memcpy_chk(m + 9001, source, 1500, LEN);
	SAY(memcmp(m + 9001, source, 1500));
	DO(msync(m, LEN, MS_SYNC));
}

static void protections(void)
{
	DO(mprotect(m + T_PAGE, T_PAGE, PROT_NONE));
	DO(msync(m, 3 * T_PAGE, MS_SYNC));
	DO(mprotect(m + T_PAGE, T_PAGE, T_RW));
	DO(msync(m, 3 * T_PAGE, MS_SYNC));
	DO(madvise(m + T_PAGE, T_PAGE, MADV_DONTFORK));
	DO(madvise(m + T_PAGE, T_PAGE, MADV_DOFORK));
	DO(msync(m, 3 * T_PAGE, MS_SYNC));
}

static void moves(void)
{
	char *moved;

	MAP(q, mmap(NULL, 4 * T_PAGE, T_RW, MAP_SHARED, data, (off_t)T_PAGE));
	touch(q, T_PAGE);
	TWICE(msync(q, 2 * T_PAGE, MS_SYNC));
	MAP(moved, mremap(q, 4 * T_PAGE, 6 * T_PAGE, MREMAP_MAYMOVE));
	q = moved == MAP_FAILED ? q : moved;
	touch(q, T_PAGE);
	DO(msync(q, 4 * T_PAGE, MS_SYNC));
	DO(munmap(q + T_PAGE, T_PAGE));
	DO(msync(q, 3 * T_PAGE, MS_SYNC));
	DO(msync(q, T_PAGE, MS_SYNC));
}

static void fixed(void)
{
	char *p;

	if (m == MAP_FAILED)
		return;
	m[2 * T_PAGE] = 'm';
	MAP(p, mmap(m + 2 * T_PAGE, T_PAGE, T_RW, MAP_SHARED | MAP_FIXED, other, 0));
	SAY(has(m + 2 * T_PAGE, 'm'));
	TWICE(msync(m + 2 * T_PAGE, T_PAGE, MS_SYNC));
	DO(msync(m, LEN, MS_SYNC));
	m[3 * T_PAGE] = 'n';
	MAP(p, mmap(m + 3 * T_PAGE, T_PAGE, T_RW, MAP_SHARED | MAP_FIXED, -1, 0));
	SAY(has(m + 3 * T_PAGE, 'n'));
	MAP(p, mmap(m + 4 * T_PAGE, T_PAGE, T_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	DO(msync(m + 4 * T_PAGE, T_PAGE, MS_SYNC));
	/* taken, then free */
	MAP(r, mmap(m, T_PAGE, T_RW, MAP_SHARED | MAP_FIXED_NOREPLACE, other, 0));
	DO(munmap(m + 5 * T_PAGE, T_PAGE));
	MAP(r, mmap(m + 5 * T_PAGE, T_PAGE, T_RW, MAP_SHARED | MAP_FIXED_NOREPLACE, other, 0));
	SAY(r == MAP_FAILED || r == m + 5 * T_PAGE);
	TWICE(msync(m + 5 * T_PAGE, T_PAGE, MS_SYNC));
}

static void *work(void *p)
{
	memset(p, 't', 2000);
	DO(msync(p, T_PAGE, MS_SYNC));
	DO(munmap(p, T_PAGE));
	return NULL;
}

static void in_child(pid_t child)
{
	if (child == 0) {
		if (m != MAP_FAILED)
			m[9] = 'c';
		DO(msync(m, T_PAGE, MS_SYNC));
		DO(munmap(m + T_PAGE, T_PAGE));
		_exit(3);
	}
	SAY(t_wait(child));
	/* the child's counter is its own */
	step += 10;
}

static void others(void)
{
	pthread_t thread;

	in_child(fork());
	in_child((pid_t)syscall(SYS_fork));
	DO(msync(m, T_PAGE, MS_SYNC));
	if (r != MAP_FAILED && pthread_create(&thread, NULL, work, r) == 0)
		pthread_join(thread, NULL);
	DO(munmap(m + 6 * T_PAGE, T_PAGE));
	DO(mlock(m, T_PAGE));
	DO(msync(m, T_PAGE, MS_SYNC | MS_INVALIDATE));
}

/* Lines of a file in /proc that hold a text; what is left must be nothing. */
static int left(const char *name, const char *text)
{
	static char maps[1 << 17];
	int fd = open(name, O_RDONLY), n = 0;
	size_t len = 0;
	ssize_t got;

	while ((got = read(fd, maps + len, sizeof(maps) - 1 - len)) > 0)
		len += (size_t)got;
	maps[len] = '\0';
	close(fd);
	for (const char *p = maps; (p = strstr(p, text)); p++)
		n++;
	return n;
}

int main(void)
{
	open_files();
	first();
	syncs();
	copies();
	protections();
	moves();
	fixed();
	others();
	if (m != MAP_FAILED)
		DO(munmap(m, LEN));
	if (q != MAP_FAILED)
		DO(munmap(q, 6 * T_PAGE));
	SAY(contents(data));
	SAY(contents(other));
	SAY(left("/proc/self/maps", "/data") + left("/proc/self/maps", "/other"));
	SAY(close(dup(other)) + dup(other) - other);
	return 42;
}
