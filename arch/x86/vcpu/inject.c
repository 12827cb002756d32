// SPDX-License-Identifier: MIT
/*
 * inject.c - give a guest an exception or an event, as the frame that the hardware would push
 * through the gate of the guest's own IDT (SDM 3A 6.14). Nothing is pushed here: the frame's words
 * go into the vcpu page, and the guest continues at a stub of the code area that pushes them in
 * ring 1, where a bad stack is the guest's own fault. Read guest-abi/code-area.S (deliver) beside
 * this; next: ranges.c.
 */
#include "arch/x86/vcpu/vcpu.h"
#include "guest-abi/ranges.h"

void vcpu_die(struct vcpu *v, const char *why)
{
	if (!v->death)
		v->death = why;
	v->is_dead = true;
}

/* Offsets of RSP0 and IST1 in a 64-bit TSS (SDM 3A figure 8-11). */
#define TSS_RSP0 4
#define TSS_IST1 36

/* A kernel that has loaded a TSS keeps its stacks there, and may change them without telling. */
static __cold void use_task_stack(struct vcpu *v, u8 ist)
{
	u64 at = v->task_base + (ist ? TSS_IST1 + 8 * (ist - 1) : TSS_RSP0), rsp;
	struct vcpu_copy_result result;
	struct shadow_access implicit = {0};

	if (vcpu_copy_as(v, at, &rsp, sizeof(rsp), implicit, &result))
		vcpu_die(v, "crashed: its task state segment cannot be read");
	else
		v->regs.rsp = rsp & ~15ul;
}

/* tour: a frame for the guest */
/* The stack of a gate is its IST, RSP0 when coming from ring 3, or the present one, which need not
 * be aligned. No call in here but at the end: it has no registers to save. */
static void deliver(struct vcpu *v, const struct vcpu_gate *gate, bool has_error, u64 error)
{
	struct gn_vcpu_page *page = v->page;
	u64 flags, rsp = v->regs.rsp;
	bool user, vif_after;

	page->deliver_error = error;
	page->deliver_handler = gate->handler;
	page->deliver.rip = v->regs.rip;
	page->deliver.rsp = rsp;
	v->in_double_fault = gate == &v->gate[VECTOR_DF];
	user = vcpu_is_user(v);
	flags = vcpu_flags(v);
	vif_after = gate->trap && (flags & RFLAGS_IF);
	page->deliver.rflags = flags;
	if (user) {
		page->deliver.cs = v->regs.cs;
		page->deliver.ss = v->regs.ss;
	} else {
		page->deliver.cs = gate->cs & ~3ul;
		page->deliver.ss = GN_GUEST_KERNEL_SS;
	}
	if (user || gate->ist)
		rsp = v->frames == VCPU_FRAMES_XEN ? READ_ONCE(page->kernel_stack)
						   : v->ist[gate->ist];
	v->regs.rsp = rsp & ~15ul;
	if (unlikely(v->frames == VCPU_FRAMES_XEN)) {
		vcpu_set_vif(v, vif_after);
		if (user)
			vcpu_swap_gs();
		v->regs.rip = gn_deliver_entry[4 | has_error];
	} else {
		WRITE_ONCE(page->vif, 0);
		v->regs.rip = gn_deliver_entry[vif_after << 1 | has_error];
	}
	v->regs.cs = GN_KERNEL_CS;
	v->regs.ss = GN_KERNEL_SS;
	v->regs.rflags &= ~(u64)(RFLAGS_TF | RFLAGS_NT | RFLAGS_RF);
	if (unlikely(v->task_base) && (user || gate->ist))
		use_task_stack(v, gate->ist);
}
/* tour ends */

void vcpu_reflect(struct vcpu *v, u8 vector, bool has_error, u64 error)
{
	const struct vcpu_gate *gate = &v->gate[vector];

	v->reflections++;
	if (unlikely(!gate->present)) {
		gate = &v->gate[VECTOR_DF];
		if (vector == VECTOR_DF || !gate->present) {
			vcpu_die(v, "crashed: triple fault");
			return;
		}
		has_error = true;
		error = 0;
	}
	deliver(v, gate, has_error, error);
}

void vcpu_reflect_page_fault(struct vcpu *v, u64 cr2, u64 error)
{
	*v->cr2 = cr2;
	vcpu_reflect(v, VECTOR_PF, true, error);
}

void vcpu_software_interrupt(struct vcpu *v, u8 vector)
{
	vcpu_reflect(v, vector, false, 0);
}

/*
 * While an event waits for vif, the code descriptors of ring 3 are not present: an IRETQ to there
 * takes #NP (SDM 2A, IRET) and does not pass the event by. Where vif counts as 1 no event waits.
 */
static void hide_users(struct vcpu *v, bool hide)
{
	if (v->hides_users == hide)
		return;
	v->hides_users = hide;
	v->changed |= VCPU_CHANGED_USERS;
	v->hidden_since = rdtsc();
}

void vcpu_raise(struct vcpu *v, u8 vector)
{
	v->vectors[vector / 64] |= 1ul << vector % 64;
	v->event_pending = true;
	v->page->pending = 1;
}

void vcpu_lower(struct vcpu *v, u8 vector)
{
	v->vectors[vector / 64] &= ~(1ul << vector % 64);
	v->event_pending = v->vectors[0] | v->vectors[1] | v->vectors[2] | v->vectors[3];
	v->page->pending = v->event_pending;
	hide_users(v, v->hides_users && v->event_pending);
}

/* All events of a Xen guest arrive at one entry; which there are is written in its pages. A frame
 * that is being pushed is finished first: the event still waits at the next exit. */
static void deliver_upcall(struct vcpu *v)
{
	const struct vcpu_gate upcall = {.handler = v->event_entry, .cs = GN_GUEST_KERNEL_CS};

	v->event_pending = false;
	if (!v->event_entry || !READ_ONCE(*v->pending) || !(vcpu_flags(v) & RFLAGS_IF))
		return;
	if (!vcpu_is_user(v) && vcpu_is_pushing(v))
		return;
	v->events++;
	deliver(v, &upcall, false, 0);
}

void vcpu_failsafe(struct vcpu *v)
{
	const struct vcpu_gate failsafe = {.handler = v->failsafe_entry, .cs = GN_GUEST_KERNEL_CS};

	if (!v->failsafe_entry) {
		vcpu_die(v, "crashed: its IRET cannot be, and it has no failsafe callback");
		return;
	}
	v->reflections++;
	deliver(v, &failsafe, false, 0);
	v->regs.rip = gn_xen_failsafe;
}

static u8 highest_vector(const struct vcpu *v)
{
	unsigned word = 3;

	while (!v->vectors[word])
		word--;
	return word * 64 + 63 - __builtin_clzl(v->vectors[word]);
}

/* The error code of #NP for an event: the EXT and IDT bits. */
static inline u64 absent_gate(u8 vector)
{
	return vector * 8u + 3;
}

#define NMI_BITS (1ul << VECTOR_NMI | 1ul << VCPU_IN_NMI)

/* While an NMI is handled the others have their turn; whatever comes of it, the handler's IRET is
 * to be seen. */
static void deliver_others(struct vcpu *v)
{
	u64 nmi = v->vectors[0] & NMI_BITS;

	v->vectors[0] &= ~nmi;
	if (v->vectors[0] | v->vectors[1] | v->vectors[2] | v->vectors[3])
		vcpu_deliver_events(v);
	v->vectors[0] |= nmi;
	v->event_pending = true;
	v->page->pending = 1;
	hide_users(v, !vcpu_is_user(v));
}

/* An NMI comes whatever vif is, and before all others, if none is being handled (SDM 3A 6.7.1). */
static __cold void deliver_nmi(struct vcpu *v)
{
	if (vcpu_is_in_nmi(v)) {
		deliver_others(v);
		return;
	}
	v->page->pending = 1;
	hide_users(v, true);
	if (vcpu_code_area_nmi(v))
		return;
	v->vectors[0] |= 1 << VCPU_IN_NMI;
	vcpu_lower(v, VECTOR_NMI);
	v->events++;
	if (v->gate[VECTOR_NMI].present)
		vcpu_reflect(v, VECTOR_NMI, false, 0);
	else
		vcpu_reflect(v, VECTOR_NP, true, absent_gate(VECTOR_NMI));
}

/* tour: an event */
/*
 * In the ranges of the code area vif is about to change together with RIP: there the code itself
 * looks again. Elsewhere the event comes now if vif is 1. Either way page->pending stays 1 for what
 * waits.
 */
void vcpu_deliver_events(struct vcpu *v)
{
	u8 vector;

	if (v->frames == VCPU_FRAMES_XEN) {
		deliver_upcall(v);
		return;
	}
	if (unlikely(v->vectors[0] & NMI_BITS)) {
		deliver_nmi(v);
		return;
	}
	v->page->pending = 1;
	if (vcpu_code_area_event(v) || !(vcpu_flags(v) & RFLAGS_IF)) {
		hide_users(v, true);
		return;
	}
	vector = highest_vector(v);
	vcpu_lower(v, vector);
	v->events++;
	if (v->gate[vector].present)
		deliver(v, &v->gate[vector], false, 0);
	else
		vcpu_reflect(v, VECTOR_NP, true, absent_gate(vector));
	hide_users(v, v->event_pending);
}
/* tour ends */
