/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * probes.h: markers for perf, bpftrace and SystemTap (USDT), where the system
 * that this was built on has <sys/sdt.h>.
 *
 * Design: a marker is one NOP, and a note in a section that is not loaded
 * which says where the NOP is and where its arguments are. Arguments are what
 * is at hand anyway, so that an unused marker costs nothing else.
 */
#ifndef PMEMSHIM_PROBES_H
#define PMEMSHIM_PROBES_H

#if defined(__has_include) && !defined(PMEMSHIM_NO_PROBES)
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define PROBE3(name, a, b, c)	DTRACE_PROBE3(pmemshim, name, a, b, c)
#define PROBE4(name, a, b, c, d) DTRACE_PROBE4(pmemshim, name, a, b, c, d)
#endif
#endif

#ifndef PROBE3
#define PROBE3(name, a, b, c)	((void)0)
#define PROBE4(name, a, b, c, d) ((void)0)
#endif

#endif
