/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * log.h: one-line messages to the stderr that the process started with.
 *
 * Concurrency: log_write may be called from any thread and any signal
 * handler; a message is one write(2). errno is preserved, no signal reaches
 * the host program, and no call here is a cancellation point.
 */
#ifndef PMEMSHIM_LOG_H
#define PMEMSHIM_LOG_H

#include <stddef.h>
#include <sys/types.h>

#include "shim/compiler.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_TRACE };

/*
 * Remember which file descriptor 2 is now. Later messages are written only
 * while descriptor 2 still is that file: a program that closes it may have
 * its data there (a database opened on descriptor 2 is not our stderr).
 * Before this call nothing is written. Call it once, before other threads.
 */
void log_init(void);

void log_set_level(enum log_level level);

/* The level in force (warn at first), for callers that prepare messages. */
enum log_level log_level(void);

/*
 * Write "libpmemshim: <message>\n" when level is in force. Control
 * characters in the message appear as \xNN, so it stays one line whatever
 * text it quotes. Longer messages than 1,000 bytes are cut and end in "...".
 * The format is understood by vsnprintf(3); no floating point, no
 * locale-dependent conversion.
 */
void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * write(2), started again after a signal, that raises nothing in the host: no
 * SIGPIPE, no SIGXFSZ, no SIGTTOU. Returns what it wrote, or -1 with errno.
 */
ssize_t log_write_quietly(int fd, const void *buf, size_t len);

#endif
