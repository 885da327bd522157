/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * marks.h: what marks.c says to figures.c: a NOP with a displacement that
 * nothing else has. It orders nothing and changes nothing.
 */
#ifndef SYNCERS_MARKS_H
#define SYNCERS_MARKS_H

enum mark {
	MARK_COLUMN = 1,	/* what follows belongs to the next column */
	MARK_BEGIN,		/* a process makes its first mapping */
	MARK_ENTER,		/* msync is called */
	MARK_ACK,		/* msync with MS_SYNC has returned 0 */
	MARK_OTHER,		/* msync has returned otherwise */
	MARK_PAUSE,		/* what follows is not the program's */
	MARK_RESUME,
};

#define MARK_BYTES 0x53, 0x59, 0x4e

/* nopl DISPLACEMENT(%rax,%rax,1) */
#define MARK(kind)							\
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0, %c0, 0x53, 0x59, 0x4e" \
			 : : "i"(kind) : "memory")

#endif
