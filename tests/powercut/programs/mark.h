/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mark.h: a word from a program to observe.c, at one instruction: a NOP whose
 * displacement nothing else has, with its arguments in RDI and RSI. It orders
 * nothing and flushes nothing, so it hides no missing fence.
 */
#ifndef POWERCUT_MARK_H
#define POWERCUT_MARK_H

#include "../trace.h"

#define MARK(kind, number, stream)					\
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0, %c0, 0x43, 0x4d, 0x50" \
			 : : "i"(kind), "D"((uint64_t)(number)),	\
			     "S"((uint64_t)(stream)) : "memory")

static inline void mark_begin(void)
{
	MARK(MARK_BEGIN, 0, 0);
}

static inline void mark_intent(uint64_t number, uint64_t stream)
{
	MARK(MARK_INTENT, number, stream);
}

static inline void mark_ack(uint64_t number, uint64_t stream)
{
	MARK(MARK_ACK, number, stream);
}

static inline void mark_end(void)
{
	MARK(MARK_END, 0, 0);
}

#endif
