// SPDX-License-Identifier: MIT
/*
 * string.c - MOVS STOS LODS CMPS SCAS INS OUTS, alone and repeated. An iteration changes registers
 * only when nothing can fail any more, so between two of them the instruction can always be begun
 * again (SDM vol. 2, "REP"): a fault after some iterations leaves those done and is found anew.
 */
#include "arch/x86/emulate/private.h"

#define MAX_ITERATIONS 64

/* One side of an iteration: DS:rSI, which may be overridden, or ES:rDI. */
static enum emulate_verdict find_side(struct emulate *e, enum gpr index, enum emulate_access access,
				      unsigned size, u64 *linear)
{
	enum segment segment = SEGMENT_ES;

	if (index == RSI)
		segment = e->insn.segment == SEGMENT_COUNT ? SEGMENT_DS : e->insn.segment;
	return linear_address(e, segment, register_read(e, index, e->insn.address_bytes), size,
			      access, linear);
}

static enum emulate_verdict read_side(struct emulate *e, enum gpr index, unsigned size, u64 *value)
{
	u64 linear;

	*value = 0;
	TRY(find_side(e, index, ACCESS_READ, size, &linear));
	return e->operations->read(e, linear, value, size, ACCESS_READ);
}

static enum emulate_verdict write_side(struct emulate *e, unsigned size, u64 value)
{
	u64 linear;

	TRY(find_side(e, RDI, ACCESS_READ_TO_WRITE, size, &linear));
	return e->operations->write(e, linear, &value, size);
}

static void step(struct emulate *e, enum gpr index, unsigned size)
{
	unsigned width = e->insn.address_bytes;
	u64 by = e->r.rflags & FLAG_DF ? -(u64)size : size;

	register_write(e, index, width, register_read(e, index, width) + by);
}

/* The destination is asked for write permission before the port is read, which cannot be undone. */
static enum emulate_verdict input(struct emulate *e, unsigned size)
{
	u16 port = (u16)e->r.gpr[RDX];
	u64 linear, ignored;
	u32 value = 0;

	TRY(check_io(e, port, size));
	TRY(find_side(e, RDI, ACCESS_READ_TO_WRITE, size, &linear));
	TRY(e->operations->read(e, linear, &ignored, size, ACCESS_READ_TO_WRITE));
	TRY(e->operations->port_in(e, port, size, &value));
	return e->operations->write(e, linear, &value, size);
}

static enum emulate_verdict output(struct emulate *e, unsigned size)
{
	u16 port = (u16)e->r.gpr[RDX];
	u64 value;

	TRY(check_io(e, port, size));
	TRY(read_side(e, RSI, size, &value));
	return e->operations->port_out(e, port, size, (u32)value);
}

/* The part of an iteration that can fail. */
static enum emulate_verdict transfer_element(struct emulate *e, unsigned size)
{
	u64 a, b;

	switch (e->insn.action) {
	case INSN_MOVS:
		TRY(read_side(e, RSI, size, &a));
		return write_side(e, size, a);
	case INSN_STOS:
		return write_side(e, size, e->r.gpr[RAX]);
	case INSN_LODS:
		TRY(read_side(e, RSI, size, &a));
		register_write(e, RAX, size, a);
		return EMULATE_OK;
	case INSN_CMPS:
		TRY(read_side(e, RSI, size, &a));
		TRY(read_side(e, RDI, size, &b));
		compare_flags(e, a, b, size);
		return EMULATE_OK;
	case INSN_SCAS:
		TRY(read_side(e, RDI, size, &b));
		compare_flags(e, register_read(e, RAX, size), b, size);
		return EMULATE_OK;
	case INSN_INS:
		return input(e, size);
	default: /* OUTS */
		return output(e, size);
	}
}

static enum emulate_verdict iterate(struct emulate *e)
{
	unsigned size = e->insn.operand_bytes;
	u8 action = e->insn.action;

	if (!(e->insn.opcode & 1))
		size = 1;
	if (action == INSN_INS || action == INSN_OUTS)
		size = MIN(size, 4);
	TRY(transfer_element(e, size));
	if (action != INSN_STOS && action != INSN_SCAS && action != INSN_INS)
		step(e, RSI, size);
	if (action != INSN_LODS && action != INSN_OUTS)
		step(e, RDI, size);
	return EMULATE_OK;
}

/* CMPS and SCAS end early: REPE when ZF is clear, REPNE when it is set. */
static bool is_ended_by_flag(const struct emulate *e)
{
	bool equal = e->r.rflags & FLAG_ZF;

	if (e->insn.action != INSN_CMPS && e->insn.action != INSN_SCAS)
		return false;
	return e->insn.prefixes & PREFIX_REP ? !equal : equal;
}

enum emulate_verdict do_string(struct emulate *e)
{
	unsigned width = e->insn.address_bytes;
	bool steps = e->registers->rflags & FLAG_TF;
	unsigned done = 0;
	enum emulate_verdict verdict;

	if (!(e->insn.prefixes & (PREFIX_REP | PREFIX_REPNE)))
		return iterate(e);
	while (register_read(e, RCX, width)) {
		if (done == MAX_ITERATIONS || (done && steps))
			goto partly;
		verdict = iterate(e);
		if (verdict != EMULATE_OK) {
			if (!done)
				return verdict;
			goto partly;
		}
		register_write(e, RCX, width, register_read(e, RCX, width) - 1);
		done++;
		if (is_ended_by_flag(e))
			break;
	}
	return EMULATE_OK;
partly:
	e->r.rip = e->registers->rip;
	*e->registers = e->r;
	e->single_step = steps;
	return EMULATE_AGAIN;
}
