// SPDX-License-Identifier: MIT
/*
 * run.c - the run loop of the CPU that runs guests. Each turn begins and ends with an empty stack:
 * there guests may move, die, be rebuilt. Next: exits.c, where each exit reason has its door.
 */
#include "run/run.h"
#include "arch/x86/cpu/insn.h"
#include "lib/bug.h"
#include "run/guests.h"
#include "run/sched.h"

#define AUDIT_INTERVAL 64

static void idle(void)
{
	wait_for_interrupt();
	sched_tick();
}

/* debug=audit: re-derive every invariant of the shadows, each so many exits. */
static void audit(struct guest *g)
{
	static u64 exits;

	if (++exits % AUDIT_INTERVAL == 0)
		BUG_ON(!shadow_is_sound(&g->shadow, g->config.policy == SHADOW_TRAPPED));
}

/* See to what must be before the guest is entered. False: it has ended. */
static __noinline bool attend(struct cpu *cpu, struct guest *g)
{
	/* Delivery may exchange the GS bases, which are in the CPU: they must be this guest's. */
	if (!g->vcpu.cpu)
		vcpu_load(cpu, &g->vcpu);
	if (vcpu_has_event(&g->vcpu)) {
		if (unlikely(vcpu_is_held_off(&g->vcpu)))
			run_instruction(g);
		vcpu_deliver_events(&g->vcpu);
		if (likely(!g->vcpu.attention))
			return true;
	}
	if (guest_has_ended(g))
		return false;
	if (unlikely(g->vcpu.small_stacks))
		vcpu_set_entry_stack(&g->vcpu);
	if (g->vcpu.is_audited)
		audit(g);
	if (g->vcpu.changed)
		vcpu_load(cpu, &g->vcpu);
	return true;
}

/* tour: a page fault */
static inline void page_fault(struct guest *g)
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

/* Nothing asks for attention but that a Xen guest's pending is a byte of its own; it is 0. */
static inline bool is_quiet(const struct vcpu *v)
{
	return v->attention == VCPU_ATTENTION_XEN && !READ_ONCE(*v->pending);
}

/* tour: the loop */
/* One guest, for as long as it is its turn. The loop that all else must be fast for. */
static void run_turn(struct cpu *cpu, struct guest *g)
{
	if (guest_has_ended(g))
		return;
	do {
		unsigned reason;

		if (unlikely(g->vcpu.attention) && !is_quiet(&g->vcpu) && !attend(cpu, g))
			return;
		reason = vcpu_run(cpu, &g->vcpu);
		if (likely(reason == EXIT_HYPERCALL))
			run_hypercall(g);
		else if (likely(reason == VECTOR_PF))
			page_fault(g);
		else
			run_exit(g, reason);
	} while (likely(sched_keeps(g)));
}
/* tour ends */

void run_guests(struct cpu *cpu, const struct options *options)
{
	bool working;

	while ((working = guests_work()) || !sched_is_empty()) {
		struct guest *g = sched_next();

		if (!g) {
			if (!working)
				idle();
			continue;
		}
		g->vcpu.is_audited = options->debug & OPTION_AUDIT;
		run_turn(cpu, g);
		if (guest_has_ended(g))
			guests_finish(cpu, g);
	}
}
