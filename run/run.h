/* SPDX-License-Identifier: MIT */
/* run.h - the run loop: guests in turn, each exit through one door, until none is left. */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "arch/x86/cpu/cpu.h"
#include "hypercall/hypercall.h"
#include "object/guest.h"
#include "run/options.h"
#include "run/sched.h"

/* Returns when all guests have ended. */
void run_guests(struct cpu *cpu, const struct options *options);

/* exits.c: what an exit means, by its reason; and a page fault's verdict, if it is a rare one. */
void run_exit(struct guest *g, unsigned reason);
void run_fault_verdict(struct guest *g, u64 address, enum shadow_verdict verdict,
		       const struct shadow_result *r);
void run_instruction(struct guest *g);

static inline void run_hypercall(struct guest *g)
{
	if (unlikely(hypercall_dispatch(g) == CALL_YIELD))
		sched_yield();
}

#endif
