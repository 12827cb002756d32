// SPDX-License-Identifier: MIT
/*
 * exits.c - what a guest's exit means: one door for each reason.
 *
 *   (i)   hypercalls
 *   (ii)  page faults
 *   (iii) INT n, which arrives at gates that a guest may use
 *   (iv)  other exceptions: the guest's own
 *   (v)   interrupts, which are the monitor's
 */
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/insn.h"
#include "arch/x86/cpu/nmi-storm.h"
#include "arch/x86/cpu/tsc.h"
#include "hypercall/hypercall.h"
#include "lib/bug.h"
#include "lib/log.h"
#include "run/run.h"
#include "run/sched.h"

#define LATE_EVENT_MS 10ul

/* ---- (i) ---- */

/* Those by SYSCALL, which are most of all exits, have been taken by the run loop. */

/* ---- (ii) ---- */

static bool emulate(struct guest *g, const struct vcpu_store *store);

static __noinline void emulate_store(struct guest *g, struct vcpu_store store)
{
	if (!emulate(g, &store))
		guest_kill(g, "a store to a page table at RIP %#lx that cannot be emulated",
			   g->vcpu.regs.rip);
}

/* What neither was put right, nor is simply the guest's own, nor a store like one before. */
void run_fault_verdict(struct guest *g, u64 address, enum shadow_verdict verdict,
		       const struct shadow_result *r)
{
	struct vcpu *v = &g->vcpu;

	switch (verdict) {
	case SHADOW_FIXED:
		break;
	case SHADOW_REFLECT: /* at an instruction of the code area */
		if (!vcpu_code_area_exception(v, VECTOR_PF, r->error_code))
			vcpu_reflect_page_fault(v, address, r->error_code);
		break;
	case SHADOW_EMULATE:
		emulate_store(g, (struct vcpu_store){address, r->gpa});
		break;
	case SHADOW_POPULATE:
		guest_kill(g, "it used guest physical page %#lx, which it does not have", r->gfn.v);
		break;
	case SHADOW_WATCHED:
		guest_kill(g, "it used guest physical page %#lx as it may not", r->gfn.v);
		break;
	case SHADOW_KILL:
		guest_kill(g, "%s", r->why);
		break;
	}
}

/* ---- (iii) ---- */

/* Vectors 3, 4 and 0x80 are open to ring 3 in our IDT; whether they are in the guest's, its gates
 * say. RIP is behind the instruction, and for a refusal goes back to it. */
static void software_interrupt(struct guest *g, u8 vector)
{
	struct vcpu *v = &g->vcpu;

	if (!vcpu_may_interrupt(v, vector)) {
		v->regs.rip -= vector == 0x80 ? 2 : 1;
		vcpu_reflect(v, VECTOR_GP, true, vector * 8u + 2);
		return;
	}
	vcpu_software_interrupt(v, vector);
}

/* ---- (iv) ---- */

static void stop(struct guest *g, const struct vcpu_copy_result *stop)
{
	if (stop->verdict == SHADOW_KILL)
		guest_kill(g, "%s", stop->shadow.why);
	else
		guest_kill(g, "it used guest physical page %#lx %s", stop->shadow.gfn.v,
			   stop->verdict == SHADOW_POPULATE ? "which it does not have"
							    : "as it may not");
}

/* Execute what trapped. False: the exception is the guest's own. */
static bool emulate(struct guest *g, const struct vcpu_store *store)
{
	struct vcpu_copy_result why __uninitialized;

	hypercall_settle(g);
	switch (vcpu_emulate(&g->vcpu, store, &why)) {
	case VCPU_EMULATED:
		return true;
	case VCPU_HALTED:
		g->blocked = !vcpu_has_event(&g->vcpu);
		sched_yield();
		return true;
	case VCPU_STOPPED:
		stop(g, &why);
		return true;
	default:
		return false;
	}
}

/* An event waits for the instruction at RIP, which is behind an STI: HLT must not sleep then, IRET
 * and SYSRET must not return into a handler's stack. What cannot be emulated waits in its turn for
 * the event. */
void run_instruction(struct guest *g)
{
	g->vcpu.held_off_at = 0;
	(void)emulate(g, NULL);
}

/* In ring 1 #GP and #UD are how privileged instructions arrive, and #NP an IRET to ring 3 that
 * would pass an event by; in ring 3 only INT n, whose error code says so, may mean something else
 * than what it says. */
static bool may_be_privileged(const struct guest *g, u8 vector, u64 error)
{
	if (vcpu_is_user(&g->vcpu))
		return vector == VECTOR_GP && (error & 2);
	return vector == VECTOR_GP || vector == VECTOR_UD ||
	       (vector == VECTOR_NP && g->vcpu.hides_users);
}

static void exception(struct guest *g, u8 vector, u64 error)
{
	if (vector == VECTOR_DB) {
		vcpu_take_debug(&g->vcpu);
		if (vcpu_is_in_slot(&g->vcpu))
			return; /* a single step through a slot ends behind it */
	}
	if (vcpu_code_area_exception(&g->vcpu, vector, error))
		return;
	if (may_be_privileged(g, vector, error) && emulate(g, NULL))
		return;
	vcpu_reflect(&g->vcpu, vector, vector_has_error(vector), error);
}

/* The frame that the monitor was about to return by is one that the CPU refuses. */
static void return_fault(struct guest *g)
{
	struct vcpu *v = &g->vcpu;

	if (!is_canonical(v->regs.rip))
		v->regs.rip = 0;
	vcpu_reflect(v, VECTOR_GP, true, v->regs.error);
}

static void compat_syscall(struct guest *g)
{
	g->vcpu.regs.rip -= 2;
	vcpu_reflect(&g->vcpu, VECTOR_UD, false, 0);
}

/* ---- (v) ---- */

/* The tick finds an event that a kernel has kept waiting: it is slow to set vif, or thinks that it
 * has (POPF cannot trap). Told once. */
static void tell_late_event(struct guest *g)
{
	const struct vcpu *v = &g->vcpu;

	if (g->told_late_event || !v->hides_users || vcpu_is_in_nmi(v) ||
	    rdtsc() - v->hidden_since < LATE_EVENT_MS * tsc_scale.khz)
		return;
	g->told_late_event = true;
	log_info("guest '%s': an event has waited for more than %lu ms with vif 0; RIP is %#lx",
		 g->config.name, LATE_EVENT_MS, v->regs.rip);
}

static void interrupt(struct guest *g, unsigned vector)
{
	if (vector != VECTOR_SPURIOUS)
		apic_end_of_interrupt();
	if (vector == VECTOR_TIMER) {
		nmi_storm_note_event(g->vcpu.regs.rip);
		tell_late_event(g);
		sched_tick();
	}
}

/* tour: a door for each reason */
void run_exit(struct guest *g, unsigned reason)
{
	switch (reason) {
	case GN_HYPERCALL_VECTOR:
		run_hypercall(g);
		break;
	case 3:
	case 4:
	case 0x80:
		software_interrupt(g, reason);
		break;
	case VECTOR_MC: /* neither the guest's nor to be survived: SDM 3B 15.10 */
	case VECTOR_DF: /* the switcher's stacks are always there: our bug */
		bug_panic("vector %u in guest '%s'", reason, g->config.name);
	case EXIT_RETURN_FAULT:
		return_fault(g);
		break;
	case EXIT_COMPAT_SYSCALL:
		compat_syscall(g);
		break;
	default:
		if (reason < 32)
			exception(g, reason, g->vcpu.regs.error);
		else
			interrupt(g, reason);
	}
}
/* tour ends */
