/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mark.c: the marks of mark.h for programs that load libraries, such as
 * Python with ctypes.
 */
#include "mark.h"

void powercut_begin(void);
void powercut_intent(uint64_t number, uint64_t stream);
void powercut_ack(uint64_t number, uint64_t stream);
void powercut_end(void);

void powercut_begin(void)
{
	mark_begin();
}

void powercut_intent(uint64_t number, uint64_t stream)
{
	mark_intent(number, stream);
}

void powercut_ack(uint64_t number, uint64_t stream)
{
	mark_ack(number, stream);
}

void powercut_end(void)
{
	mark_end();
}
