/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * trace.h: what observe.c writes and cut.c reads: one record for each store,
 * flush, fence and mark, in the order in which the machine made them.
 */
#ifndef POWERCUT_TRACE_H
#define POWERCUT_TRACE_H

#include <stdint.h>

enum record_type {
	RECORD_STORE = 1,	/* value, at most 8 bytes, of offset */
	RECORD_STREAM,		/* the same, non-temporal */
	RECORD_FLUSH,		/* of the line at offset; size: enum flush */
	RECORD_FENCE,		/* SFENCE or MFENCE */
	RECORD_MARK,		/* size: enum mark; offset: stream; value */
	RECORD_LOST_FLUSH,	/* value: an address that no page table had */
	RECORD_LOCKED,		/* a locked instruction of the kernel's, when there
				 * was something to drain */
};

enum record_flush { FLUSH_CLFLUSH, FLUSH_CLFLUSHOPT, FLUSH_CLWB };

/* programs/mark.h has the instruction. */
enum record_mark {
	MARK_BEGIN = 1,		/* from here on the power may be cut */
	MARK_INTENT,		/* value: the operation that begins */
	MARK_ACK,		/* value: the operation whose sync returned */
	MARK_END,		/* and no longer from here on */
};

struct record {
	uint64_t pc;		/* of a mark: instructions executed so far */
	uint64_t where;
	uint64_t value;
};

static inline uint64_t record_where(unsigned int type, unsigned int size,
				    unsigned int cpu, uint64_t offset)
{
	return offset << 24 | (uint64_t)(cpu & 0xff) << 16 |
	       (uint64_t)(size & 0xff) << 8 | (type & 0xff);
}

static inline unsigned int record_type(const struct record *r)
{
	return r->where & 0xff;
}

static inline unsigned int record_size(const struct record *r)
{
	return r->where >> 8 & 0xff;
}

static inline unsigned int record_cpu(const struct record *r)
{
	return r->where >> 16 & 0xff;
}

static inline uint64_t record_offset(const struct record *r)
{
	return r->where >> 24;
}

#endif
