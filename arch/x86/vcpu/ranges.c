// SPDX-License-Identifier: MIT
/*
 * ranges.c - what it means that a guest is at a certain place of the code area. The tables
 * gn_ranges and gn_places at the end of guest-abi/code-area.S name them; here are the answers.
 *
 *   (i)   an event waits while RIP is in a range: the code looks for it again
 *   (ii)  an UD2 at a site: a request that must disturb no register
 *   (iii) a fault of the code area's own instructions
 *   (iv)  an NMI, which does not ask vif
 *
 * RIP alone decides nothing dangerous: whatever a guest reaches by jumping into the middle of this
 * code it could have done to itself in its own.
 */
#include "arch/x86/vcpu/vcpu.h"
#include "guest-abi/hypercalls.h"
#include "guest-abi/ranges.h"
#include "lib/errno.h"

bool vcpu_is_in_slot(const struct vcpu *v)
{
	return is_in_code_area(v->regs.rip) && !vcpu_is_user(v);
}

static const struct gn_range *find(const struct gn_range *r, const struct gn_range *end, u64 rip)
{
	for (; r < end; r++)
		if (rip >= r->first && rip <= r->last)
			return r;
	return NULL;
}

/* tour: an event that comes at a bad moment */
/* (i) True: the event is left to the code. Behind a hypercall RIP is in a slot, below all
 * ranges. */
bool vcpu_code_area_event(struct vcpu *v)
{
	const struct gn_range *r;

	if (likely(!is_in_code_area(v->regs.rip) || v->regs.rip < gn_ranges[0].first) ||
	    vcpu_is_user(v))
		return false;
	r = find(gn_ranges, gn_ranges_end, v->regs.rip);
	if (!r)
		return false;
	if (r->kind == GN_RANGE_RESTART) {
		v->regs.rip = r->target;
		return false;
	}
	vcpu_set_vif(v, false);
	v->regs.rip = r->target;
	return true;
}
/* tour ends */

bool vcpu_is_pushing(const struct vcpu *v)
{
	const struct gn_range *r;

	if (likely(!is_in_code_area(v->regs.rip)))
		return false;
	r = find(gn_places, gn_places_end, v->regs.rip);
	return r && r->kind == GN_PLACE_STACK_FAULT;
}

/* What is at RSP; a fault of it is the guest's. */
static int read_stack(struct vcpu *v, void *to, size_t size)
{
	struct vcpu_copy_result result;

	if (!vcpu_read(v, v->regs.rsp, to, size, &result))
		return 0;
	if (result.verdict == SHADOW_REFLECT)
		vcpu_reflect_page_fault(v, result.at, result.shadow.error_code);
	else
		vcpu_die(v, "killed: no memory behind its stack");
	return -EFAULT;
}

/* What IRETQ refuses (SDM 2A, IRET): as far as ring 3 is concerned the IRETQ of the switcher would
 * refuse it too, but then the frame's place is forgotten. Returns the error code of a #GP, or -1.
 * */
static int frame_error(const struct vcpu *v, const struct gn_iret_frame *frame)
{
	if (!is_canonical(frame->rip))
		return 0;
	if ((frame->cs & 3) < 2)
		return -1;
	if (!vcpu_descriptor_is_usable(v, frame->cs, true))
		return frame->cs & 0xfffc;
	if (!vcpu_descriptor_is_usable(v, frame->ss, false) || (frame->ss & 3) != 3)
		return frame->ss & 0xfffc;
	return -1;
}

int vcpu_return_by_frame(struct vcpu *v)
{
	struct gn_iret_frame frame;
	int error;

	vcpu_end_nmi(v);
	if (read_stack(v, &frame, sizeof(frame)))
		return -EFAULT;
	error = frame_error(v, &frame);
	if (error >= 0) {
		vcpu_reflect(v, VECTOR_GP, true, error);
		return -EFAULT;
	}
	v->regs.rip = frame.rip;
	v->regs.rsp = frame.rsp;
	v->regs.rflags = (frame.rflags & RFLAGS_GUEST) | RFLAGS_RESERVED | RFLAGS_IF;
	if ((frame.cs & 3) == 3) {
		v->regs.cs = frame.cs & 0xffff;
		v->regs.ss = frame.ss & 0xffff;
		return 0;
	}
	v->regs.cs = GN_KERNEL_CS;
	v->regs.ss = GN_KERNEL_SS;
	vcpu_set_vif(v, frame.rflags & RFLAGS_IF);
	return 0;
}

/* It is in ring 3, on the stack it has. */
static void be_user(struct vcpu *v, u64 rip, u64 rflags)
{
	v->regs.rip = rip;
	v->regs.rflags = (rflags & RFLAGS_GUEST) | RFLAGS_RESERVED | RFLAGS_IF;
	v->regs.cs = GN_USER_CS;
	v->regs.ss = GN_USER_SS;
}

static void no_syscall_entry(struct vcpu *v)
{
	be_user(v, v->regs.rcx - 2, v->regs.r11);
	if (v->frames == VCPU_FRAMES_XEN)
		vcpu_swap_gs();
	vcpu_reflect(v, VECTOR_UD, false, 0);
}

#define IRETQ_SIZE 2
#define UD2_SIZE   2

/* Where a fault of the code area's IRETQ is reported: at the instruction that the site stands
 * for. */
static u64 iret_address(const struct vcpu *v)
{
	u64 end = READ_ONCE(v->page->site);

	return end ? end - IRETQ_SIZE : GN_SLOT(GN_OP_iret);
}

/* An instruction of so many bytes cannot be, which a slot has been called for: the fault is at the
 * call, as if the instruction stood there. */
int vcpu_leave_slot(struct vcpu *v, u64 size)
{
	u64 end;

	if (v->regs.rip - GN_CODE_AREA >= GN_CODE_PAGING)
		return 0;
	if (read_stack(v, &end, sizeof(end)))
		return -EFAULT;
	v->regs.rip = end - size;
	v->regs.rsp += sizeof(end);
	return 0;
}

static void request(struct vcpu *v, const struct gn_range *site)
{
	switch (site->kind) {
	case GN_PLACE_CHECK: /* vif is 1 already: the event comes before the guest goes on */
	case GN_PLACE_EMULATE:
		v->regs.rip += UD2_SIZE;
		break;
	case GN_PLACE_IRET:
		v->regs.rip = iret_address(v);
		(void)!vcpu_return_by_frame(v);
		break;
	case GN_PLACE_DELIVERED:
		vcpu_set_vif(v, true);
		/* fall through */
	case GN_PLACE_PUSHED:
		v->regs.rip = READ_ONCE(v->page->deliver_handler);
		if (!is_canonical(v->regs.rip))
			vcpu_die(v, "crashed: the vcpu page was overwritten during delivery");
		break;
	case GN_PLACE_NO_SYSCALL:
		no_syscall_entry(v);
		break;
	case GN_PLACE_REFUSED:
		if (!vcpu_leave_slot(v, site->target))
			vcpu_reflect(v, VECTOR_GP, true, 0);
		break;
	}
}

/* A return that would have passed an event by is not the guest's fault: it returns, and the event
 * comes. */
static void fault(struct vcpu *v, const struct gn_range *site, u8 vector, u64 error)
{
	bool event_waits = vector == VECTOR_NP && v->hides_users;

	switch (site->kind) {
	case GN_PLACE_IRET_FAULT:
		v->regs.rip = iret_address(v);
		vcpu_set_vif(v, false);
		if (!event_waits)
			break;
		(void)!vcpu_return_by_frame(v);
		return;
	case GN_PLACE_SYSRET_FAULT: /* as the user's, whose registers are loaded */
		v->regs.rsp = READ_ONCE(v->page->sysret.rsp);
		be_user(v, READ_ONCE(v->page->sysret.rip), READ_ONCE(v->page->sysret.rflags));
		if (!event_waits)
			break;
		return;
	case GN_PLACE_STACK_FAULT:
		if (v->in_double_fault) {
			vcpu_die(v, "crashed: triple fault");
			return;
		}
		vector = VECTOR_DF;
		error = 0;
		break;
	}
	vcpu_reflect(v, vector, vector_has_error(vector), error);
}

/* (ii) and (iii) */
bool vcpu_code_area_exception(struct vcpu *v, u8 vector, u64 error)
{
	const struct gn_range *site;

	if (likely(!is_in_code_area(v->regs.rip)) || vcpu_is_user(v))
		return false;
	site = find(gn_places, gn_places_end, v->regs.rip);
	if (!site)
		return false;
	if (site->kind < GN_PLACE_IRET_FAULT) {
		if (vector != VECTOR_UD)
			return false;
		request(v, site);
		return site->kind != GN_PLACE_EMULATE;
	}
	fault(v, site, vector, error);
	return true;
}

/*
 * (iv) An event is left to the code where vif is 0 for the code's own sake, or a frame of the vcpu
 * page is in use. An NMI would come there: so a return is carried out, and code that pushes a frame
 * may finish. True: the guest goes on, and comes back for the NMI.
 */
bool vcpu_code_area_nmi(struct vcpu *v)
{
	/* A return may lead to here, once; if a guest's own frames do so for ever, it goes on. */
	for (unsigned returns = 0; vcpu_is_in_slot(v); returns++) {
		const struct gn_range *place;

		if (returns > 1 || vcpu_code_area_event(v))
			return true;
		place = find(gn_places, gn_places_end, v->regs.rip);
		if (!place || place->kind < GN_PLACE_IRET)
			return false;
		if (place->kind == GN_PLACE_STACK_FAULT) {
			place = find(gn_held, gn_held_end, v->regs.rip);
			if (place)
				v->regs.rip += place->target - place->first;
			return true;
		}
		if (place->kind < GN_PLACE_IRET_FAULT)
			request(v, place);
		else
			fault(v, place, VECTOR_NP, 0);
	}
	return false;
}
