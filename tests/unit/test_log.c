/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_log.c: what reaches stderr, and what the host program notices of it.
 *
 * Design: Criterion runs each test in its own process, so descriptor 2 is
 * replaced there for good. Criterion reports by a pipe of its own.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shim/log.h"

/* Make descriptor 2 a new empty file. */
static void stderr_to_file(void)
{
	int fd = memfd_create("stderr", 0);

	cr_assert(fd >= 0 && dup2(fd, STDERR_FILENO) == STDERR_FILENO);
	close(fd);
}

static const char *written_to(int fd)
{
	static char text[8192];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	cr_assert(n >= 0);
	text[n] = '\0';
	return text;
}

static void start(void)
{
	stderr_to_file();
	log_init();
}

/* A pipe on descriptor 2 that nobody reads. */
static void stderr_to_broken_pipe(void)
{
	int ends[2];

	cr_assert(pipe(ends) == 0);
	cr_assert(dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
	close(ends[0]);
	close(ends[1]);
}

Test(log, writes_one_prefixed_line)
{
	start();
	log_write(LOG_WARN, "%s: %d", "answer", 42);
	cr_assert_str_eq(written_to(2), "libpmemshim: answer: 42\n");
}

Test(log, writes_nothing_before_it_is_initialised)
{
	stderr_to_file();
	log_write(LOG_ERROR, "too early");
	cr_assert_str_eq(written_to(2), "");
}

Test(log, starts_at_warn)
{
	start();
	cr_assert(log_level() == LOG_WARN);
	log_write(LOG_INFO, "hidden");
	log_write(LOG_WARN, "shown");
	cr_assert_str_eq(written_to(2), "libpmemshim: shown\n");
}

Test(log, level_filters_what_is_below_it)
{
	start();
	log_set_level(LOG_ERROR);
	log_write(LOG_WARN, "hidden");
	log_write(LOG_ERROR, "error");
	log_set_level(LOG_TRACE);
	log_write(LOG_TRACE, "trace");
	cr_assert_str_eq(written_to(2),
			 "libpmemshim: error\nlibpmemshim: trace\n");
}

Test(log, message_of_1000_bytes_is_whole)
{
	char expected[1100];
	char text[1001];

	start();
	memset(text, 'x', 1000);
	text[1000] = '\0';
	snprintf(expected, sizeof(expected), "libpmemshim: %s\n", text);
	log_write(LOG_WARN, "%s", text);
	cr_assert_str_eq(written_to(2), expected);
}

Test(log, longer_message_is_cut_and_marked)
{
	char expected[1100];
	char text[5001];

	start();
	memset(text, 'x', 5000);
	text[5000] = '\0';
	snprintf(expected, sizeof(expected), "libpmemshim: %.997s...\n", text);
	log_write(LOG_WARN, "%s", text);
	cr_assert_str_eq(written_to(2), expected);
	cr_assert(ftruncate(2, 0) == 0 && lseek(2, 0, SEEK_SET) == 0);
	text[1001] = '\0';
	log_write(LOG_WARN, "%s", text);
	cr_assert_str_eq(written_to(2), expected, "one byte too long");
}

Test(log, escaped_message_is_cut_between_escapes)
{
	char expected[1100] = "libpmemshim: ";
	char text[301];
	int i;

	start();
	memset(text, '\1', 300);
	text[300] = '\0';
	for (i = 0; i < 249; i++)
		strcat(expected, "\\x01");
	strcat(expected, "...\n");
	log_write(LOG_WARN, "%s", text);
	cr_assert_str_eq(written_to(2), expected);
}

Test(log, control_characters_are_escaped)
{
	start();
	log_write(LOG_WARN, "%s", "a\nb\tc\x1b[31m\x7f\xc3\xa9");
	cr_assert_str_eq(written_to(2),
			 "libpmemshim: a\\x0ab\\x09c\\x1b[31m\\x7f\xc3\xa9\n");
}

Test(log, quoted_text_is_no_format)
{
	start();
	log_write(LOG_WARN, "%s", "%n%s%s%s");
	cr_assert_str_eq(written_to(2), "libpmemshim: %n%s%s%s\n");
}

Test(log, message_is_one_write)
{
	int ends[2];
	char buf[2048];

	/* A packet socket keeps the writes apart. */
	cr_assert(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
	cr_assert(dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
	log_init();
	log_write(LOG_WARN, "%s", "first");
	log_write(LOG_WARN, "%s", "second");
	cr_assert(recv(ends[0], buf, sizeof(buf), 0) == 19);
	cr_assert(memcmp(buf, "libpmemshim: first\n", 19) == 0);
}

Test(log, errno_is_kept_when_written)
{
	start();
	errno = E2BIG;
	log_write(LOG_WARN, "shown");
	cr_assert(errno == E2BIG);
}

Test(log, errno_is_kept_when_stderr_is_closed)
{
	close(STDERR_FILENO);
	errno = E2BIG;
	log_init();
	cr_assert(errno == E2BIG);
	log_write(LOG_WARN, "nowhere");
	cr_assert(errno == E2BIG);
}

Test(log, errno_is_kept_when_the_write_fails)
{
	stderr_to_broken_pipe();
	log_init();
	errno = E2BIG;
	log_write(LOG_WARN, "nobody reads this");
	cr_assert(errno == E2BIG);
}

Test(log, stderr_closed_at_the_start_stays_closed)
{
	int fd;

	close(STDERR_FILENO);
	log_init();
	fd = memfd_create("database", 0);
	cr_assert(fd == STDERR_FILENO);
	log_write(LOG_ERROR, "not into the database");
	cr_assert_str_eq(written_to(fd), "");
}

Test(log, another_file_on_descriptor_2_is_left_alone)
{
	int fd;

	start();
	close(STDERR_FILENO);
	fd = memfd_create("database", 0);
	cr_assert(fd == STDERR_FILENO);
	log_write(LOG_ERROR, "not into the database");
	cr_assert_str_eq(written_to(fd), "");
}

Test(log, descriptor_2_closed_and_restored_is_used_again)
{
	int fd;

	start();
	fd = dup(STDERR_FILENO);
	close(STDERR_FILENO);
	log_write(LOG_WARN, "lost");
	cr_assert(dup2(fd, STDERR_FILENO) == STDERR_FILENO);
	log_write(LOG_WARN, "back");
	cr_assert_str_eq(written_to(2), "libpmemshim: back\n");
}

static volatile sig_atomic_t caught;

static void catch_signal(int sig)
{
	(void)sig;
	caught++;
}

Test(log, broken_pipe_does_not_kill)
{
	signal(SIGPIPE, SIG_DFL);
	stderr_to_broken_pipe();
	log_init();
	log_write(LOG_WARN, "nobody reads this");
}

Test(log, broken_pipe_raises_no_signal_and_none_stays_pending)
{
	sigset_t mask;
	sigset_t pending;

	signal(SIGPIPE, catch_signal);
	stderr_to_broken_pipe();
	log_init();
	log_write(LOG_WARN, "nobody reads this");
	cr_assert(caught == 0);
	cr_assert(sigpending(&pending) == 0);
	cr_assert(!sigismember(&pending, SIGPIPE));
	cr_assert(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
	cr_assert(!sigismember(&mask, SIGPIPE));
	cr_assert(!sigismember(&mask, SIGXFSZ));
	cr_assert(!sigismember(&mask, SIGTTOU));
}

Test(log, hosts_own_pending_broken_pipe_stays_pending)
{
	sigset_t block;
	sigset_t pending;

	sigemptyset(&block);
	sigaddset(&block, SIGPIPE);
	sigprocmask(SIG_BLOCK, &block, NULL);
	raise(SIGPIPE);
	stderr_to_broken_pipe();
	log_init();
	log_write(LOG_WARN, "nobody reads this");
	sigpending(&pending);
	cr_assert(sigismember(&pending, SIGPIPE));
	sigprocmask(SIG_BLOCK, NULL, &block);
	cr_assert(sigismember(&block, SIGPIPE), "the host's mask is kept");
}

Test(log, file_size_limit_does_not_kill)
{
	const struct rlimit none = { 0, 0 };
	char name[] = "/tmp/pmemshim-test-XXXXXX";
	int fd = mkstemp(name);

	cr_assert(fd >= 0 && dup2(fd, STDERR_FILENO) == STDERR_FILENO);
	unlink(name);
	log_init();
	signal(SIGXFSZ, SIG_DFL);
	cr_assert(setrlimit(RLIMIT_FSIZE, &none) == 0);
	log_write(LOG_WARN, "no room");
}

struct full_pipe {
	int ends[2];
	pthread_t writer;
};

/* Interrupts a writer on a full pipe, then makes room. */
static void *interrupt_then_drain(void *arg)
{
	const struct full_pipe *pipe = arg;
	char buf[65536];
	int i;

	for (i = 0; i < 20; i++) {
		usleep(5000);
		pthread_kill(pipe->writer, SIGUSR1);
	}
	(void)!read(pipe->ends[0], buf, sizeof(buf));
	return NULL;
}

Test(log, interrupted_write_is_repeated, .timeout = 20)
{
	struct full_pipe shared = { .writer = pthread_self() };
	struct sigaction action = { .sa_handler = catch_signal };
	static char fill[65536];
	char buf[64];
	pthread_t helper;

	cr_assert(pipe(shared.ends) == 0);
	cr_assert(fcntl(shared.ends[1], F_SETPIPE_SZ, 65536) == 65536);
	cr_assert(write(shared.ends[1], fill, sizeof(fill)) == 65536);
	cr_assert(dup2(shared.ends[1], STDERR_FILENO) == STDERR_FILENO);
	sigaction(SIGUSR1, &action, NULL); /* no SA_RESTART */
	log_init();
	pthread_create(&helper, NULL, interrupt_then_drain, &shared);
	log_write(LOG_WARN, "late");
	pthread_join(helper, NULL);
	cr_assert(caught > 0);
	cr_assert(read(shared.ends[0], buf, sizeof(buf)) == 18);
	cr_assert(memcmp(buf, "libpmemshim: late\n", 18) == 0);
}

static void *log_then_return(void *arg)
{
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_cancel(pthread_self());
	log_write(LOG_WARN, "from a thread that is to be cancelled");
	/* Reached only if nothing above was a cancellation point. */
	*(int *)arg = 1;
	return NULL;
}

Test(log, is_no_cancellation_point)
{
	pthread_t thread;
	int reached = 0;

	signal(SIGPIPE, SIG_DFL);
	stderr_to_broken_pipe();
	log_init();
	pthread_create(&thread, NULL, log_then_return, &reached);
	pthread_join(thread, NULL);
	cr_assert(reached == 1);
}
