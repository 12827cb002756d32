/* SPDX-License-Identifier: MIT */
/* check.h - a line for each thing that was tried, and a count of what went as it should. */
#ifndef GUESTS_TOUR_CHECK_H
#define GUESTS_TOUR_CHECK_H

#include <stdbool.h>
#include <stdint.h>

/* Print what was tried and, in brackets unless it is empty, how it went. Returns good. */
bool check(bool good, const char *what, const char *how);

uint64_t check_passed(void), check_failed(void);

/* The tour's sights, each a command of the prompt. */
void show_processes(void); /* show-processes.c: processes, system calls, calls and their errors */
void show_memory(void);	   /* show-memory.c: page tables, demand paging, separate spaces */
void show_faults(void);	   /* show-faults.c: what processes and the kernel do wrong */
void show_time(void);	   /* show-time.c: clock, timer, preemption, the virtual interrupt flag */
void show_attacks(void);   /* show-attacks.c: what ring 1 must not do */

#endif
