/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * step.h: how host.c tells faults.c where it is: FAULTS_STEP(number, kind), a
 * system call that no kernel has.
 */
#ifndef FAULTS_STEP_H
#define FAULTS_STEP_H

#define FAULTS_STEP	1000000

enum { FAULTS_OTHER, FAULTS_FIRST, FAULTS_AGAIN };

#endif
