/* SPDX-License-Identifier: MIT */
/* run.h - the run loop: guests in turn, each exit through one door, until none is left. */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "arch/x86/cpu/cpu.h"
#include "arch/x86/cpu/insn.h"
#include "hypercall/hypercall.h"
#include "object/guest.h"
#include "run/options.h"
#include "run/sched.h"

/* Returns when all guests have ended. */
void run_guests(struct cpu *cpu, const struct options *options);

/* exits.c: what an exit means, by its reason. Page faults, which are many, have a way of their
 * own. */
void run_exit(struct guest *g, unsigned reason);
void run_fault_verdict(struct guest *g, u64 address, enum shadow_verdict verdict,
		       const struct shadow_result *r);
void run_instruction(struct guest *g);

static inline void run_hypercall(struct guest *g)
{
	if (unlikely(hypercall_dispatch(g) == CALL_YIELD))
		sched_yield();
}

/* tour: a page fault */
static inline void run_page_fault(struct guest *g)
{
	struct vcpu *v = &g->vcpu;
	u64 address = read_cr2();
	struct shadow_result r __uninitialized;
	enum shadow_verdict verdict;

	hypercall_settle(g);
	verdict = shadow_fault(&v->shadow, GVA(address), v->regs.error, vcpu_is_user(v),
			       v->regs.rflags & RFLAGS_AC, &r);
	if (likely(verdict == SHADOW_REFLECT && !is_in_code_area(v->regs.rip)))
		vcpu_reflect_page_fault(v, address, r.error_code);
	else if (verdict == SHADOW_EMULATE &&
		 vcpu_repeat_store(v, (struct vcpu_store){address, r.gpa}))
		return;
	else if (verdict != SHADOW_FIXED)
		run_fault_verdict(g, address, verdict, &r);
}
/* tour ends */

#endif
