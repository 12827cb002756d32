/* SPDX-License-Identifier: MIT */
/*
 * host.h - the machine below mm when mm runs as a program: RAM is an array, and a flush of CPUs is
 * a count that a test may watch. host.c implements mm/machine.h and bug_panic() with it.
 */
#ifndef TESTS_HOST_MM_HOST_H
#define TESTS_HOST_MM_HOST_H

#include <stdio.h>
#include <stdlib.h>
#include "mm/frame.h"

/* Frames first..first+count-1 exist, all but the first given to the allocator. */
void host_machine_init(u64 first, u64 count);
void host_machine_end(void);

/* Called by machine_flush_guests(); NULL: nobody. */
extern void (*host_on_flush)(void);

/* A check that does not hold is printed and counted; host_finish() prints the counts and answers
 * the exit status. */
extern unsigned host_passed, host_failed;
#define CHECK(condition)                                                                           \
	((condition)                                                                               \
	     ? (void)host_passed++                                                                 \
	     : (void)(host_failed++, printf("%s:%d: %s\n", __FILE__, __LINE__, #condition)))
int host_finish(void);

/* Numbers that one seed decides (xorshift). */
extern u64 host_seed;
u64 host_random(void);

#endif
