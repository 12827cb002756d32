// SPDX-License-Identifier: MIT
/*
 * move.c - instructions that carry values: moves, exchanges, compare and exchange, the stack,
 * 16-byte vector stores. Each finds and reads its operands first; the one store to memory comes
 * last.
 */
#include "arch/x86/emulate/private.h"
#include "lib/string.h"

#define CR0_EM (1ul << 2)
#define CR0_TS (1ul << 3)

static u64 swap_bytes(u64 value, unsigned size)
{
	return __builtin_bswap64(value) >> (64 - 8 * size);
}

/* MOV MOVZX MOVSX MOVBE MOVNTI; SLDT and the like have a twin of the segment case in system.c. */
enum emulate_verdict do_move(struct emulate *e)
{
	bool from_segment = OPERAND_KIND(e->insn.operand[1]) == OPERAND_SEGMENT;
	struct operand to, from;
	u64 value;

	TRY(operand_find(e, 1, ACCESS_READ, &from));
	if (from_segment && insn_has_memory(&e->insn)) {
		to = (struct operand){.where = AT_MEMORY, .size = 2};
		TRY(memory_operand(e, 2, ACCESS_READ_TO_WRITE, &to.linear));
	} else {
		TRY(operand_find(e, 0, ACCESS_READ_TO_WRITE, &to));
	}
	TRY(operand_read(e, &from, ACCESS_READ, &value));
	if (e->insn.action == INSN_MOVSX)
		value = sign_extend(value, from.size);
	if (e->insn.action == INSN_MOVBE)
		value = swap_bytes(value, from.size);
	return operand_write(e, &to, value);
}

bool emulate_is_store(const struct insn *insn, u8 *source)
{
	if (insn->action != INSN_MOV || insn->operand_bytes != 8 || !insn_has_memory(insn) ||
	    OPERAND_KIND(insn->operand[0]) != OPERAND_MODRM_RM ||
	    OPERAND_SIZE(insn->operand[0]) != SIZE_V)
		return false;
	switch (OPERAND_KIND(insn->operand[1])) {
	case OPERAND_MODRM_REG:
		*source = insn_reg(insn);
		return true;
	case OPERAND_IMMEDIATE:
		*source = EMULATE_IMMEDIATE;
		return true;
	default:
		return false;
	}
}

/* CMOVcc reads its source and writes its register whatever the condition; SETcc. */
enum emulate_verdict do_conditional(struct emulate *e)
{
	bool holds = condition_holds(e->r.rflags, e->insn.opcode);
	struct operand to, from;
	u64 value, old;

	TRY(operand_find(e, 0, ACCESS_READ_TO_WRITE, &to));
	if (e->insn.action == INSN_SETCC)
		return operand_write(e, &to, holds);
	TRY(operand_find(e, 1, ACCESS_READ, &from));
	TRY(operand_read(e, &from, ACCESS_READ, &value));
	TRY(operand_read(e, &to, ACCESS_READ, &old));
	return operand_write(e, &to, holds ? value : old);
}

/* XCHG and XADD: the register takes the old value, the destination the register's or the sum. */
enum emulate_verdict do_exchange(struct emulate *e)
{
	struct operand to, from;
	u64 a, b, result;

	TRY(operand_find(e, 0, ACCESS_READ_TO_WRITE, &to));
	TRY(operand_find(e, 1, ACCESS_READ, &from));
	TRY(operand_read(e, &to, ACCESS_READ_TO_WRITE, &a));
	TRY(operand_read(e, &from, ACCESS_READ, &b));
	result = b;
	if (e->insn.action == INSN_XADD)
		result = add_flags(e, a, b, to.size);
	TRY(operand_write(e, &from, a));
	return operand_update(e, &to, a, result);
}

/* CMPXCHG stores in any case: what it read, if that is not what was expected. */
enum emulate_verdict do_compare_exchange(struct emulate *e)
{
	struct operand to, from;
	u64 a, b, expected;

	TRY(operand_find(e, 0, ACCESS_READ_TO_WRITE, &to));
	TRY(operand_find(e, 1, ACCESS_READ, &from));
	TRY(operand_read(e, &to, ACCESS_READ_TO_WRITE, &a));
	TRY(operand_read(e, &from, ACCESS_READ, &b));
	expected = register_read(e, RAX, to.size);
	compare_flags(e, expected, a, to.size);
	if (a == expected)
		return operand_update(e, &to, a, b);
	register_write(e, RAX, to.size, a);
	return to.where == AT_MEMORY ? operand_update(e, &to, a, a) : EMULATE_OK;
}

/* CMPXCHG8B and 16B: rDX:rAX against memory, rCX:rBX into it. Only ZF changes. */
enum emulate_verdict do_compare_exchange_pair(struct emulate *e)
{
	unsigned half = e->insn.rex & REX_W ? 8 : 4;
	u64 linear, old[2] = {0}, new[2];
	u8 from[16], to[16];
	bool equal;

	if (half == 8)
		TRY(aligned_operand(e, ACCESS_READ_TO_WRITE, &linear));
	else
		TRY(memory_operand(e, 8, ACCESS_READ_TO_WRITE, &linear));
	TRY(e->operations->read(e, linear, from, 2 * half, ACCESS_READ_TO_WRITE));
	memcpy(&old[0], from, half);
	memcpy(&old[1], from + half, half);
	equal = old[0] == register_read(e, RAX, half) && old[1] == register_read(e, RDX, half);
	new[0] = equal ? register_read(e, RBX, half) : old[0];
	new[1] = equal ? register_read(e, RCX, half) : old[1];
	memcpy(to, &new[0], half);
	memcpy(to + half, &new[1], half);
	e->r.rflags = (e->r.rflags & ~FLAG_ZF) | (equal ? FLAG_ZF : 0);
	if (!equal) {
		register_write(e, RAX, half, old[0]);
		register_write(e, RDX, half, old[1]);
	}
	if (e->insn.prefixes & PREFIX_LOCK)
		return e->operations->compare_exchange(e, linear, from, to, 2 * half);
	return e->operations->write(e, linear, to, 2 * half);
}

/* POPF: which flags change depends on the CPL (SDM vol. 2, "POPF", table 4-15). IOPL and IF are for
 * those who may; a 16-bit pop leaves the upper half alone. */
static enum emulate_verdict pop_flags(struct emulate *e)
{
	unsigned size = e->insn.operand_bytes;
	u64 iopl = (e->r.rflags & FLAG_IOPL) >> 12, value, mask;

	TRY(stack_pop(e, size, &value));
	mask =
	    FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_TF | FLAG_DF | FLAG_OF | FLAG_NT;
	if (size > 2)
		mask |= FLAG_AC | FLAG_ID | FLAG_RF;
	if (e->r.cpl == 0)
		mask |= FLAG_IOPL;
	e->r.rflags = ((e->r.rflags & ~mask) | (value & mask & ~FLAG_RF)) | FLAG_ONE;
	if (e->r.cpl <= iopl)
		e->operations->set_interrupt_flag(e, value & FLAG_IF);
	return EMULATE_OK;
}

static enum emulate_verdict push_flags(struct emulate *e)
{
	u64 value = e->r.rflags & ~(FLAG_RF | FLAG_VM | FLAG_IF);

	if (e->operations->get_interrupt_flag(e))
		value |= FLAG_IF;
	return stack_push(e, e->insn.operand_bytes, value);
}

/* PUSH POP PUSHF POPF. POP finds its destination after RSP has moved (SDM vol. 2, "POP"). */
enum emulate_verdict do_stack(struct emulate *e)
{
	struct operand o;
	u64 value;

	switch (e->insn.action) {
	case INSN_PUSHF:
		return push_flags(e);
	case INSN_POPF:
		return pop_flags(e);
	case INSN_POP:
		TRY(stack_pop(e, e->insn.operand_bytes, &value));
		TRY(operand_find(e, 0, ACCESS_READ_TO_WRITE, &o));
		return operand_write(e, &o, value);
	default: /* PUSH */
		TRY(operand_find(e, 0, ACCESS_READ, &o));
		TRY(operand_read(e, &o, ACCESS_READ, &value));
		return stack_push(e, e->insn.operand_bytes, value);
	}
}

/* MOVUPS MOVAPS MOVDQU MOVDQA MOVNTPS MOVNTDQ and their VEX forms, 16 bytes to memory. */
enum emulate_verdict do_vector_store(struct emulate *e)
{
	bool aligned = e->insn.action == INSN_MOVAPS || e->insn.action == INSN_VMOVAPS;
	u64 linear, cr0;
	u8 value[16];

	if (!insn_has_memory(&e->insn))
		return EMULATE_UNHANDLED;
	TRY(e->operations->read_cr(e, 0, &cr0));
	if (cr0 & CR0_EM && e->insn.map < MAP_VEX_0F)
		return emulate_fault(e, EXCEPTION_UD);
	if (cr0 & CR0_TS)
		return emulate_fault(e, EXCEPTION_NM);
	if (aligned)
		TRY(aligned_operand(e, ACCESS_READ_TO_WRITE, &linear));
	else
		TRY(memory_operand(e, sizeof(value), ACCESS_READ_TO_WRITE, &linear));
	TRY(e->operations->read_vector(e, insn_reg(&e->insn), value));
	return e->operations->write(e, linear, value, sizeof(value));
}
