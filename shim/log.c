/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * log.c: format into stack buffers, then one write(2) to the first stderr.
 *
 * Design: descriptor 2 belongs to the host program and may be closed and
 * given to another file at any time, so its identity is compared before each
 * write. A duplicate of our own would be certain, but it would keep a pipe's
 * reader from seeing the end, and closing it would drop POSIX locks.
 *
 * Concurrency: stderr_file is written by log_init only; the level is atomic.
 */
#include "shim/log.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shim/sys.h"

#define PREFIX		"libpmemshim: "
#define PREFIX_LEN	(sizeof(PREFIX) - 1)
#define CUT_MARK	"..."
#define CUT_MARK_LEN	(sizeof(CUT_MARK) - 1)

enum { MESSAGE_MAX = 1000 };

struct file_id {
	bool known;
	dev_t dev;
	ino_t ino;
	dev_t rdev;
	mode_t type;
};

static struct file_id stderr_file;
static _Atomic int threshold = LOG_WARN;

static struct file_id identify(int fd)
{
	struct stat st;

	if (sys_fstat(fd, &st) < 0)
		return (struct file_id){ .known = false };
	return (struct file_id){ .known = true, .dev = st.st_dev,
				 .ino = st.st_ino, .rdev = st.st_rdev,
				 .type = st.st_mode & S_IFMT };
}

static bool stderr_is_ours(void)
{
	const struct file_id now = identify(STDERR_FILENO);

	return stderr_file.known && now.known && now.dev == stderr_file.dev &&
	       now.ino == stderr_file.ino && now.rdev == stderr_file.rdev &&
	       now.type == stderr_file.type;
}

void log_init(void)
{
	const int saved = errno;

	stderr_file = identify(STDERR_FILENO);
	errno = saved;
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

enum log_level log_level(void)
{
	return (enum log_level)atomic_load_explicit(&threshold,
						    memory_order_relaxed);
}

/* One byte of the message as it is shown; the number of bytes of it. */
static size_t show(char out[4], char byte)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char c = (unsigned char)byte;

	if (c >= 0x20 && c != 0x7f) {
		out[0] = byte;
		return 1;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = hex[c >> 4];
	out[3] = hex[c & 15];
	return 4;
}

/* line has room for the prefix, MESSAGE_MAX bytes and the newline. */
static size_t compose(char *line, const char *text)
{
	char *const message = line + PREFIX_LEN;
	size_t len = 0;
	size_t fits = 0;	/* the longest whole part that a mark can follow */
	size_t n;
	char shown[4];

	memcpy(line, PREFIX, PREFIX_LEN);
	for (; *text != '\0'; text++) {
		n = show(shown, *text);
		if (len + n > MESSAGE_MAX) {
			memcpy(message + fits, CUT_MARK, CUT_MARK_LEN);
			len = fits + CUT_MARK_LEN;
			break;
		}
		memcpy(message + len, shown, n);
		len += n;
		if (len + CUT_MARK_LEN <= MESSAGE_MAX)
			fits = len;
	}
	message[len] = '\n';
	return PREFIX_LEN + len + 1;
}

/*
 * Take back what our write raised in this thread and the host has not asked
 * for. Not sigtimedwait(2) of libc: that is a cancellation point.
 */
static void swallow_signals(const sigset_t *pending_before)
{
	const struct timespec no_wait = { 0, 0 };
	sigset_t raised;

	sigemptyset(&raised);
	if (!sigismember(pending_before, SIGPIPE))
		sigaddset(&raised, SIGPIPE);
	if (!sigismember(pending_before, SIGXFSZ))
		sigaddset(&raised, SIGXFSZ);
	while (syscall(SYS_rt_sigtimedwait, &raised, NULL, &no_wait,
		       _NSIG / 8) > 0)
		;
}

/*
 * A write to a pipe without a reader raises SIGPIPE, past RLIMIT_FSIZE
 * SIGXFSZ, and to a terminal from the background SIGTTOU, which would kill or
 * stop the host program. Blocked, the first two can be taken back; the third
 * is not raised at all, and the write succeeds (tty_check_change, Linux).
 */
ssize_t log_write_quietly(int fd, const void *buf, size_t len)
{
	sigset_t shield;
	sigset_t old;
	sigset_t pending;
	ssize_t n;
	int error;

	sigemptyset(&shield);
	sigaddset(&shield, SIGPIPE);
	sigaddset(&shield, SIGXFSZ);
	sigaddset(&shield, SIGTTOU);
	if (pthread_sigmask(SIG_BLOCK, &shield, &old) != 0)
		return -1;
	sigpending(&pending);
	do {
		n = sys_write(fd, buf, len);
	} while (n < 0 && errno == EINTR);
	error = errno;
	if (n != (ssize_t)len)
		swallow_signals(&pending);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = error;
	return n;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	/* One byte more than is shown: so compose sees that there is more. */
	char text[MESSAGE_MAX + 2];
	char line[PREFIX_LEN + MESSAGE_MAX + 1];
	const int saved = errno;
	va_list args;
	int n;

	if (level > log_level())
		return;
	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n >= 0 && stderr_is_ours())
		log_write_quietly(STDERR_FILENO, line, compose(line, text));
	errno = saved;
}
