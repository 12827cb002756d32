/* SPDX-License-Identifier: MIT */
/*
 * process.h - processes: an address space, a kernel stack, a state. Number 0 is the kernel itself,
 * which runs the prompt; the others run programs of user/ in ring 3. A process in ring 3 is
 * preempted; the kernel never is.
 */
#ifndef GUESTS_TOUR_PROCESS_H
#define GUESTS_TOUR_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include "guests/tour/trap.h"
#include "guests/tour/user/programs.h"

#define PROCESS_COUNT	     8
#define PROCESS_KERNEL_STACK 8192

enum process_state { PROCESS_NONE, PROCESS_READY, PROCESS_ASLEEP, PROCESS_WAITING, PROCESS_ENDED };

struct process {
	enum process_state state;
	const char *name;
	uint64_t space;
	uint64_t rsp;	/* of its kernel stack, while another runs */
	uint64_t wake;	/* ASLEEP: until when, ns */
	uint64_t ticks; /* timer events that found it running */
	uint64_t pages; /* given to it on demand */
	int64_t status; /* ENDED: what it passed to exit, if vector is -1 */
	int64_t vector; /* ENDED: the exception that it was ended for, or -1 */
};

void process_init(void);
struct process *process_kernel(void);
struct process *process_current(void);
/* Process number n, NULL past the last; state NONE means there is none. */
struct process *process_number(uint64_t n);
uint64_t process_number_of(const struct process *p);

/* Begin one. Never fails: when there are PROCESS_COUNT already the kernel ends, as a toy may. */
struct process *process_start(const char *name, enum program program, uint64_t argument);
/* Sleep until it has ended, and forget it. Its record is returned. */
struct process process_wait(struct process *p);
/* End another, whatever it does, and forget it. */
void process_stop(struct process *p);

/* What a process does to itself. */
_Noreturn void process_exit(int64_t status);
void process_yield(void);
void process_sleep(uint64_t ns);
void process_wait_for_event(void);

/* Make one that waits ready again. */
void process_wake(struct process *p);
/* Wake those whose time has come. */
void process_wake_sleepers(uint64_t now);

/* From trap.c, about the current process in ring 3. */
void process_tick(void);
void process_fault(const struct frame *f);
/* Supply a page on demand. False: it has no business there. */
bool process_page_fault(uint64_t address, uint64_t error);

/* Copy from its memory, pages supplied as needed. False: it has no such memory. */
bool process_read(uint64_t address, void *to, uint64_t size);

#endif
