// SPDX-License-Identifier: MIT
/*
 * transfer.c - control that leaves its segment: INT and kin, IRET, RETF, SYSRET, and loads of SS,
 * which trap in ring 1 when a kernel names RPL 0. Descriptors are the guest's own, DPL 0 being its
 * kernel's; SDM vol. 3, 5.8.6 and vol. 2, "IRET", "RET", "SYSRET", "MOV" give the order of the
 * checks.
 */
#include "arch/x86/emulate/private.h"

#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define EFER_SCE 1ul

/* The flat segments that SYSRET loads whatever the tables say. */
#define FLAT_CODE_64 0x00affb000000ffff
#define FLAT_CODE_32 0x00cffb000000ffff
#define FLAT_DATA    0x00cff3000000ffff

static u16 attributes_of(u64 descriptor)
{
	return descriptor >> 40 & 0xf0ff;
}

static u32 limit_of(u64 descriptor)
{
	u32 limit = (descriptor & 0xffff) | (descriptor >> 32 & 0xf0000);

	return attributes_of(descriptor) & ATTRIBUTE_PAGES ? limit << 12 | 0xfff : limit;
}

static enum decode_mode mode_of(u16 attributes)
{
	if (attributes & ATTRIBUTE_LONG)
		return DECODE_64;
	return attributes & ATTRIBUTE_BIG ? DECODE_32 : DECODE_16;
}

static enum emulate_verdict fault_selector(struct emulate *e, enum exception vector, u16 selector)
{
	return emulate_fault_error(e, vector, selector & ~3u);
}

/* The event comes after the instruction, with RIP behind it. */
enum emulate_verdict do_interrupt(struct emulate *e)
{
	struct emulate_event *event = &e->event;

	switch (e->insn.action) {
	case INSN_INT:
		*event = (struct emulate_event){.kind = EVENT_INTERRUPT,
						.vector = (u8)e->insn.immediate};
		break;
	case INSN_INT3:
		*event = (struct emulate_event){.kind = EVENT_BREAKPOINT, .vector = EXCEPTION_BP};
		break;
	case INSN_INT1:
		*event = (struct emulate_event){.kind = EVENT_ICEBP, .vector = EXCEPTION_DB};
		break;
	default: /* INTO */
		if (!(e->r.rflags & FLAG_OF))
			return EMULATE_OK;
		*event = (struct emulate_event){.kind = EVENT_OVERFLOW, .vector = EXCEPTION_OF};
		break;
	}
	return EMULATE_EVENT;
}

/* A stack segment for code of this privilege: writable data, whose RPL and DPL equal it. */
static enum emulate_verdict check_stack_segment(struct emulate *e, u16 selector, u8 cpl,
						u64 *descriptor)
{
	u16 a;

	TRY(e->operations->read_descriptor(e, selector, descriptor));
	a = attributes_of(*descriptor);
	if ((selector & 3) != cpl || ATTRIBUTE_DPL(a) != cpl ||
	    (a & (ATTRIBUTE_MEMORY | ATTRIBUTE_CODE | ATTRIBUTE_WRITABLE)) !=
		(ATTRIBUTE_MEMORY | ATTRIBUTE_WRITABLE))
		return fault_selector(e, EXCEPTION_GP, selector);
	if (!(a & ATTRIBUTE_PRESENT))
		return fault_selector(e, EXCEPTION_SS, selector);
	return EMULATE_OK;
}

/* MOV to SS and LSS; loads of other segments do not trap for their privilege. A null SS is for
 * 64-bit kernels (SDM vol. 3, 5.4.1.1). */
enum emulate_verdict do_stack_segment(struct emulate *e)
{
	unsigned size = e->insn.operand_bytes;
	u64 value = 0, offset = 0, linear, descriptor = 0;
	struct operand o;
	u16 selector;

	if (e->insn.action == INSN_LSS) {
		TRY(memory_operand(e, size + 2, ACCESS_READ, &linear));
		TRY(e->operations->read(e, linear, &offset, size, ACCESS_READ));
		TRY(e->operations->read(e, linear + size, &value, 2, ACCESS_READ));
	} else {
		if ((e->insn.modrm >> 3 & 7) != SEGMENT_SS)
			return EMULATE_UNHANDLED;
		TRY(operand_find(e, 1, ACCESS_READ, &o));
		TRY(operand_read(e, &o, ACCESS_READ, &value));
	}
	selector = (u16)value;
	if (!(selector & ~3u)) {
		if (!is_64(e) || e->r.cpl == 3 || selector != e->r.cpl)
			return emulate_fault_error(e, EXCEPTION_GP, 0);
	} else {
		TRY(check_stack_segment(e, selector, e->r.cpl, &descriptor));
	}
	TRY(e->operations->set_stack_segment(e, selector, descriptor));
	e->r.selector[SEGMENT_SS] = selector;
	if (e->insn.action == INSN_LSS)
		register_write(e, insn_reg(&e->insn), size, offset);
	else
		e->r.interrupt_shadow = true;
	return EMULATE_OK;
}

/* The code segment that a far return leads to, and whether RIP can be there. */
static enum emulate_verdict check_return(struct emulate *e, struct emulate_transfer *to)
{
	unsigned rpl = to->cs & 3;
	bool rip_wrong;
	u16 a;

	if (!(to->cs & ~3u))
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	TRY(e->operations->read_descriptor(e, to->cs, &to->cs_descriptor));
	a = attributes_of(to->cs_descriptor);
	if ((a & (ATTRIBUTE_MEMORY | ATTRIBUTE_CODE)) != (ATTRIBUTE_MEMORY | ATTRIBUTE_CODE) ||
	    rpl < e->r.cpl || (a & ATTRIBUTE_LONG && a & ATTRIBUTE_BIG) ||
	    (a & ATTRIBUTE_DOWN ? ATTRIBUTE_DPL(a) > rpl : ATTRIBUTE_DPL(a) != rpl))
		return fault_selector(e, EXCEPTION_GP, to->cs);
	if (!(a & ATTRIBUTE_PRESENT))
		return fault_selector(e, EXCEPTION_NP, to->cs);
	to->cpl = rpl;
	if (a & ATTRIBUTE_LONG)
		rip_wrong = !is_canonical(to->rip);
	else
		rip_wrong = to->rip > limit_of(to->cs_descriptor);
	if (!to->loads_ss)
		return rip_wrong ? emulate_fault_error(e, EXCEPTION_GP, 0) : EMULATE_OK;
	if (to->ss & ~3u) {
		TRY(check_stack_segment(e, to->ss, to->cpl, &to->ss_descriptor));
	} else if (!(a & ATTRIBUTE_LONG) || rpl == 3) {
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	}
	return rip_wrong ? emulate_fault_error(e, EXCEPTION_GP, 0) : EMULATE_OK;
}

/* Everything has been judged: the transfer, and the registers that follow from it. */
static enum emulate_verdict complete(struct emulate *e, struct emulate_transfer *to)
{
	u16 a = attributes_of(to->cs_descriptor);

	to->rflags |= FLAG_ONE;
	TRY(e->operations->transfer(e, to));
	e->r.rip = to->rip;
	e->r.rflags = to->rflags & ~FLAG_IF;
	e->r.cpl = to->cpl;
	e->r.mode = mode_of(a) | (e->r.mode & DECODE_AMD_BRANCHES);
	e->r.selector[SEGMENT_CS] = to->cs;
	if (to->loads_ss) {
		e->r.selector[SEGMENT_SS] = to->ss;
		e->r.gpr[RSP] = to->rsp;
	}
	return EMULATE_OK;
}

/* Which flags IRET takes from the stack: SDM vol. 2, "IRET", by operand size, CPL and IOPL. */
static u64 returned_flags(const struct emulate *e, u64 popped)
{
	u64 mask =
	    FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_TF | FLAG_DF | FLAG_OF | FLAG_NT;

	if (e->insn.operand_bytes > 2)
		mask |= FLAG_RF | FLAG_AC | FLAG_ID;
	if (e->r.cpl == 0)
		mask |= FLAG_IOPL;
	return (e->r.rflags & ~mask) | (popped & mask);
}

static enum emulate_verdict pop_stack(struct emulate *e, struct emulate_transfer *to, unsigned size)
{
	u64 ss;

	TRY(stack_pop(e, size, &to->rsp));
	TRY(stack_pop(e, size, &ss));
	to->ss = (u16)ss;
	to->loads_ss = true;
	return EMULATE_OK;
}

/* IRET. Virtual 8086 mode and task returns, which long mode does not have, are not for us. */
static enum emulate_verdict interrupt_return(struct emulate *e)
{
	unsigned size = e->insn.operand_bytes;
	struct emulate_transfer to = {.kind = TRANSFER_IRET};
	u64 iopl = (e->r.rflags & FLAG_IOPL) >> 12, cs, flags;
	u8 cpl = e->r.cpl;

	if (e->r.rflags & FLAG_NT)
		return is_64(e) ? emulate_fault_error(e, EXCEPTION_GP, 0) : EMULATE_UNHANDLED;
	TRY(stack_pop(e, size, &to.rip));
	TRY(stack_pop(e, size, &cs));
	TRY(stack_pop(e, size, &flags));
	to.cs = (u16)cs;
	if (!is_64(e) && flags & FLAG_VM && cpl == 0)
		return EMULATE_UNHANDLED;
	if (is_64(e) || (to.cs & 3) > cpl)
		TRY(pop_stack(e, &to, size));
	TRY(check_return(e, &to));
	to.rflags = returned_flags(e, flags);
	if (cpl <= iopl)
		to.rflags = (to.rflags & ~FLAG_IF) | (flags & FLAG_IF);
	else
		to.rflags |= e->operations->get_interrupt_flag(e) ? FLAG_IF : 0;
	TRY(complete(e, &to));
	if (cpl <= iopl)
		e->operations->set_interrupt_flag(e, flags & FLAG_IF);
	return EMULATE_OK;
}

/* RETF, which may release parameters on both stacks. */
static enum emulate_verdict far_return(struct emulate *e)
{
	unsigned size = e->insn.operand_bytes;
	u64 release = (u16)e->insn.immediate, cs;
	struct emulate_transfer to = {.kind = TRANSFER_RETF, .rflags = e->r.rflags};

	TRY(stack_pop(e, size, &to.rip));
	TRY(stack_pop(e, size, &cs));
	to.cs = (u16)cs;
	TRY(stack_release(e, release));
	if ((to.cs & 3) > e->r.cpl) {
		TRY(pop_stack(e, &to, size));
		to.rsp += release;
	}
	TRY(check_return(e, &to));
	return complete(e, &to);
}

enum emulate_verdict do_far_return(struct emulate *e)
{
	return e->insn.action == INSN_IRET ? interrupt_return(e) : far_return(e);
}

/* SYSRET: selectors from STAR, flat segments, RFLAGS from R11. RSP stays. An RCX that is not
 * canonical is #GP(0) in the kernel here, as on Intel's; AMD's faults in user mode, to less harm
 * but no use. */
enum emulate_verdict do_sysret(struct emulate *e)
{
	bool wide = e->insn.operand_bytes == 8;
	struct emulate_transfer to = {.kind = TRANSFER_SYSRET, .cpl = 3};
	u64 rsp = e->r.gpr[RSP], efer, star;

	TRY(e->operations->read_msr(e, MSR_EFER, &efer));
	if (!is_64(e) || !(efer & EFER_SCE))
		return emulate_fault(e, EXCEPTION_UD);
	if (e->r.cpl || (wide && !is_canonical(e->r.gpr[RCX])))
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	TRY(e->operations->read_msr(e, MSR_STAR, &star));
	to.cs = (u16)((star >> 48) + (wide ? 16 : 0)) | 3;
	to.ss = (u16)((star >> 48) + 8) | 3;
	to.cs_descriptor = wide ? FLAT_CODE_64 : FLAT_CODE_32;
	to.ss_descriptor = FLAT_DATA;
	to.loads_ss = true;
	to.rip = low_bytes(e->r.gpr[RCX], wide ? 8 : 4);
	to.rsp = rsp;
	to.rflags = e->r.gpr[11] & 0x3c7fd7;
	TRY(complete(e, &to));
	e->operations->set_interrupt_flag(e, to.rflags & FLAG_IF);
	return EMULATE_OK;
}
