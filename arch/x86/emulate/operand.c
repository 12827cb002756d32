// SPDX-License-Identifier: MIT
/*
 * operand.c - where operands are: registers, effective addresses, segments, memory, the stack. What
 * is found here has passed segmentation (SDM vol. 3, 5.3 and 3.3.7.1); paging is the operations'
 * matter.
 */
#include "arch/x86/emulate/private.h"

#define CR0_AM (1ul << 18)

u64 register_read(const struct emulate *e, unsigned number, unsigned size)
{
	return low_bytes(e->r.gpr[number & 15], size);
}

/* A 32-bit result clears the upper half, shorter ones leave the rest alone (SDM vol. 1,
 * 3.4.1.1). */
void register_write(struct emulate *e, unsigned number, unsigned size, u64 value)
{
	u64 *r = &e->r.gpr[number & 15];

	if (size >= 4)
		*r = low_bytes(value, size);
	else
		*r = (*r & ~low_bytes(~0ul, size)) | low_bytes(value, size);
}

static unsigned operand_bytes(const struct insn *insn, enum operand_size size)
{
	switch (size) {
	case SIZE_B:
		return 1;
	case SIZE_W:
		return 2;
	case SIZE_Z:
		return MIN(insn->operand_bytes, 4);
	case SIZE_Y:
		return MAX(insn->operand_bytes, 4);
	case SIZE_X:
		return 16;
	default:
		return insn->operand_bytes;
	}
}

/* The 16-bit addressing forms: SDM vol. 2, table 2-1. */
static u64 effective_address_16(const struct emulate *e, enum segment *segment)
{
	static const u8 first[8] = {RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX};
	const struct insn *insn = &e->insn;
	unsigned rm = insn->modrm & 7;
	u64 address = (u64)insn->displacement;

	if (insn_mod(insn) != 0 || rm != 6) {
		address += e->r.gpr[first[rm]];
		if (rm < 4)
			address += e->r.gpr[rm & 1 ? RDI : RSI];
		if (first[rm] == RBP)
			*segment = SEGMENT_SS;
	}
	return address;
}

/* The offset that ModRM and SIB give, and the segment that it is in unless overridden. */
u64 effective_address(const struct emulate *e, enum segment *segment)
{
	const struct insn *insn = &e->insn;
	unsigned base = insn->modrm & 7, index = 4;
	u64 address = (u64)(s64)insn->displacement;

	*segment = SEGMENT_DS;
	if (insn->address_bytes == 2) {
		address = effective_address_16(e, segment);
	} else {
		if (base == 4) {
			base = insn->sib & 7;
			index = (insn->sib >> 3 & 7) | (insn->rex & REX_X) << 2;
			if (index != 4)
				address += e->r.gpr[index] << (insn->sib >> 6);
		}
		if (insn_mod(insn) != 0 || base != 5) {
			base |= (insn->rex & REX_B) << 3;
			address += e->r.gpr[base];
			if (base == RSP || base == RBP)
				*segment = SEGMENT_SS;
		} else if (is_64(e) && (insn->modrm & 7) == 5) {
			address += e->r.rip;
		}
	}
	if (insn->segment != SEGMENT_COUNT)
		*segment = insn->segment;
	return low_bytes(address, insn->address_bytes);
}

/* SDM vol. 3, 6.15, interrupt 17: only user code, and only if the kernel and the code both ask for
 * it. */
static enum emulate_verdict check_alignment(struct emulate *e, u64 linear, size_t size)
{
	u64 cr0;

	if (e->registers->cpl != 3 || !(e->registers->rflags & FLAG_AC) || size > 16 ||
	    !(linear & (size - 1)) || size & (size - 1))
		return EMULATE_OK;
	TRY(e->operations->read_cr(e, 0, &cr0));
	return cr0 & CR0_AM ? emulate_fault_error(e, EXCEPTION_AC, 0) : EMULATE_OK;
}

/* Type and limit checks outside 64-bit mode: SDM vol. 3, 5.3 and 5.4. */
static bool is_segment_access_wrong(const struct emulate_segment *s, u64 offset, size_t size,
				    enum emulate_access access)
{
	u64 last = offset + size - 1, lowest = 0, highest = s->limit;
	u16 a = s->attributes;

	if (!(a & ATTRIBUTE_PRESENT))
		return true;
	if (a & ATTRIBUTE_CODE) {
		if (access == ACCESS_READ_TO_WRITE || !(a & ATTRIBUTE_WRITABLE))
			return true;
	} else {
		if (access == ACCESS_READ_TO_WRITE && !(a & ATTRIBUTE_WRITABLE))
			return true;
		if (a & ATTRIBUTE_DOWN) {
			lowest = (u64)s->limit + 1;
			highest = a & ATTRIBUTE_BIG ? 0xffffffff : 0xffff;
		}
	}
	return offset < lowest || last > highest;
}

/* In 64-bit mode only FS and GS have a base (SDM vol. 3, 3.4.4), and nothing else counts. */
enum emulate_verdict segment_of(struct emulate *e, enum segment segment, struct emulate_segment *s)
{
	*s = (struct emulate_segment){.base = 0};
	if (is_64(e) && segment < SEGMENT_FS)
		return EMULATE_OK;
	return e->operations->get_segment(e, segment, s);
}

enum emulate_verdict linear_address(struct emulate *e, enum segment segment, u64 offset,
				    size_t size, enum emulate_access access, u64 *linear)
{
	enum exception vector = segment == SEGMENT_SS ? EXCEPTION_SS : EXCEPTION_GP;
	struct emulate_segment s;

	TRY(segment_of(e, segment, &s));
	if (is_64(e)) {
		*linear = s.base + offset;
		if (!is_canonical(*linear) || !is_canonical(*linear + size - 1))
			return emulate_fault_error(e, vector, 0);
	} else {
		if (is_segment_access_wrong(&s, offset, size, access))
			return emulate_fault_error(e, vector, 0);
		*linear = low_bytes(s.base + offset, 4);
	}
	return check_alignment(e, *linear, size);
}

/* The linear address of the instruction's memory operand. */
enum emulate_verdict memory_operand(struct emulate *e, size_t size, enum emulate_access access,
				    u64 *linear)
{
	enum segment segment;
	u64 offset = effective_address(e, &segment);

	return linear_address(e, segment, offset, size, access, linear);
}

/* The same for 16 bytes that must be aligned: #GP(0), before any other fault of the address. */
enum emulate_verdict aligned_operand(struct emulate *e, enum emulate_access access, u64 *linear)
{
	enum segment segment;
	u64 offset = effective_address(e, &segment);
	struct emulate_segment s;

	TRY(segment_of(e, segment, &s));
	if ((s.base + offset) & 15)
		return emulate_fault_error(e, EXCEPTION_GP, 0);
	return linear_address(e, segment, offset, 16, access, linear);
}

static void use_register(const struct emulate *e, struct operand *o, unsigned number)
{
	o->where = AT_REGISTER;
	o->number = number;
	if (o->size == 1 && !(e->insn.rex & REX) && number >= 4 && number < 8) {
		o->high = true;
		o->number -= 4;
	}
}

static void use_value(struct operand *o, u64 value)
{
	o->where = AT_VALUE;
	o->value = value;
}

/* Find the instruction's operand with this index. access tells what will be done with it. */
enum emulate_verdict operand_find(struct emulate *e, unsigned index, enum emulate_access access,
				  struct operand *o)
{
	const struct insn *insn = &e->insn;
	u8 code = insn->operand[index];

	*o = (struct operand){.size = operand_bytes(insn, OPERAND_SIZE(code))};
	switch (OPERAND_KIND(code)) {
	case OPERAND_MODRM_RM:
		if (insn_has_memory(insn)) {
			o->where = AT_MEMORY;
			return memory_operand(e, o->size, access, &o->linear);
		}
		use_register(e, o, insn_rm(insn));
		return EMULATE_OK;
	case OPERAND_MODRM_REG:
		use_register(e, o, insn_reg(insn));
		return EMULATE_OK;
	case OPERAND_OPCODE_REG:
		use_register(e, o, (insn->opcode & 7) | (insn->rex & REX_B) << 3);
		return EMULATE_OK;
	case OPERAND_ACCUMULATOR:
		use_register(e, o, RAX);
		return EMULATE_OK;
	case OPERAND_CL:
		use_register(e, o, RCX);
		return EMULATE_OK;
	case OPERAND_IMMEDIATE:
		use_value(o, insn->immediate);
		return EMULATE_OK;
	case OPERAND_ONE:
		use_value(o, 1);
		return EMULATE_OK;
	case OPERAND_SEGMENT:
		use_value(o, e->r.selector[insn->modrm >> 3 & 7]);
		return EMULATE_OK;
	case OPERAND_OFFSET:
		o->where = AT_MEMORY;
		return linear_address(
		    e, insn->segment == SEGMENT_COUNT ? SEGMENT_DS : insn->segment,
		    low_bytes(insn->immediate, insn->address_bytes), o->size, access, &o->linear);
	default:
		return EMULATE_UNHANDLED;
	}
}

enum emulate_verdict operand_read(struct emulate *e, const struct operand *o,
				  enum emulate_access access, u64 *value)
{
	*value = 0;
	switch (o->where) {
	case AT_MEMORY:
		return e->operations->read(e, o->linear, value, o->size, access);
	case AT_REGISTER:
		*value = low_bytes(register_read(e, o->number, 8) >> (o->high ? 8 : 0), o->size);
		break;
	case AT_VALUE:
		*value = o->value;
		break;
	}
	return EMULATE_OK;
}

enum emulate_verdict operand_write(struct emulate *e, const struct operand *o, u64 value)
{
	u64 *r = &e->r.gpr[o->number];

	if (o->where == AT_MEMORY)
		return e->operations->write(e, o->linear, &value, o->size);
	if (o->high)
		*r = (*r & ~0xff00ul) | (value & 0xff) << 8;
	else
		register_write(e, o->number, o->size, value);
	return EMULATE_OK;
}

/* Replace what was read, atomically if the instruction is locked (XCHG always is). */
enum emulate_verdict operand_update(struct emulate *e, const struct operand *o, u64 from, u64 to)
{
	if (o->where == AT_MEMORY &&
	    (e->insn.prefixes & PREFIX_LOCK || e->insn.action == INSN_XCHG))
		return e->operations->compare_exchange(e, o->linear, &from, &to, o->size);
	return operand_write(e, o, to);
}

static enum emulate_verdict stack_bytes(struct emulate *e, unsigned *size)
{
	struct emulate_segment ss;

	*size = 8;
	if (is_64(e))
		return EMULATE_OK;
	TRY(e->operations->get_segment(e, SEGMENT_SS, &ss));
	*size = ss.attributes & ATTRIBUTE_BIG ? 4 : 2;
	return EMULATE_OK;
}

/* Move RSP up, as wide as the stack segment makes it. */
enum emulate_verdict stack_release(struct emulate *e, u64 bytes)
{
	unsigned width;

	TRY(stack_bytes(e, &width));
	register_write(e, RSP, width, register_read(e, RSP, width) + bytes);
	return EMULATE_OK;
}

enum emulate_verdict stack_push(struct emulate *e, unsigned size, u64 value)
{
	unsigned width;
	u64 sp, linear;

	TRY(stack_bytes(e, &width));
	sp = low_bytes(register_read(e, RSP, width) - size, width);
	TRY(linear_address(e, SEGMENT_SS, sp, size, ACCESS_READ_TO_WRITE, &linear));
	TRY(e->operations->write(e, linear, &value, size));
	register_write(e, RSP, width, sp);
	return EMULATE_OK;
}

enum emulate_verdict stack_pop(struct emulate *e, unsigned size, u64 *value)
{
	unsigned width;
	u64 sp, linear;

	*value = 0;
	TRY(stack_bytes(e, &width));
	sp = register_read(e, RSP, width);
	TRY(linear_address(e, SEGMENT_SS, sp, size, ACCESS_READ, &linear));
	TRY(e->operations->read(e, linear, value, size, ACCESS_READ));
	register_write(e, RSP, width, sp + size);
	return EMULATE_OK;
}
