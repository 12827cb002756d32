// SPDX-License-Identifier: MIT
/*
 * arithmetic.c - sums, logic, shifts and bits, with their flags (SDM vol. 1, 3.4.3.1 and the
 * instructions' own pages). Flags that the manual leaves undefined keep their value or get the
 * obvious.
 */
#include "arch/x86/emulate/private.h"

#define FLAGS_RESULT (FLAG_PF | FLAG_ZF | FLAG_SF)
#define FLAGS_ALL    (FLAGS_RESULT | FLAG_CF | FLAG_AF | FLAG_OF)

static void set_flags(struct emulate *e, u64 mask, u64 flags)
{
	e->r.rflags = (e->r.rflags & ~mask) | (flags & mask);
}

static u64 sign_bit(unsigned size)
{
	return 1ul << (8 * size - 1);
}

static u64 result_flags(u64 result, unsigned size)
{
	u64 flags = 0;

	if (!low_bytes(result, size))
		flags |= FLAG_ZF;
	if (result & sign_bit(size))
		flags |= FLAG_SF;
	if (!__builtin_parity(result & 0xff))
		flags |= FLAG_PF;
	return flags;
}

/* a + b + carry. Carries out of each bit: of two ones, or of a one and a carry that came in. */
static u64 add(struct emulate *e, u64 a, u64 b, bool carry, unsigned size)
{
	u64 sum = a + b + carry;
	u64 carries = (a & b) | ((a | b) & ~sum);
	u64 flags = result_flags(sum, size);

	if (carries & sign_bit(size))
		flags |= FLAG_CF;
	if (carries & 8)
		flags |= FLAG_AF;
	if ((a ^ sum) & (b ^ sum) & sign_bit(size))
		flags |= FLAG_OF;
	set_flags(e, FLAGS_ALL, flags);
	return sum;
}

/* a - b - borrow, likewise. */
static u64 subtract(struct emulate *e, u64 a, u64 b, bool borrow, unsigned size)
{
	u64 difference = a - b - borrow;
	u64 borrows = (~a & b) | ((~a | b) & difference);
	u64 flags = result_flags(difference, size);

	if (borrows & sign_bit(size))
		flags |= FLAG_CF;
	if (borrows & 8)
		flags |= FLAG_AF;
	if ((a ^ b) & (a ^ difference) & sign_bit(size))
		flags |= FLAG_OF;
	set_flags(e, FLAGS_ALL, flags);
	return difference;
}

static u64 logic(struct emulate *e, u64 result, unsigned size)
{
	set_flags(e, FLAGS_ALL, result_flags(result, size));
	return result;
}

/* The sum of XADD, with its flags. */
u64 add_flags(struct emulate *e, u64 a, u64 b, unsigned size)
{
	return add(e, a, b, false, size);
}

/* The flags of CMP, for the instructions that compare on the way. */
void compare_flags(struct emulate *e, u64 a, u64 b, unsigned size)
{
	subtract(e, a, b, false, size);
}

/* The sixteen conditions: SDM vol. 1, appendix B. The lowest bit negates. */
bool condition_holds(u64 rflags, unsigned condition)
{
	bool sign_wrong = !(rflags & FLAG_SF) != !(rflags & FLAG_OF);
	bool holds;

	switch (condition >> 1 & 7) {
	case 0:
		holds = rflags & FLAG_OF;
		break;
	case 1:
		holds = rflags & FLAG_CF;
		break;
	case 2:
		holds = rflags & FLAG_ZF;
		break;
	case 3:
		holds = rflags & (FLAG_CF | FLAG_ZF);
		break;
	case 4:
		holds = rflags & FLAG_SF;
		break;
	case 5:
		holds = rflags & FLAG_PF;
		break;
	case 6:
		holds = sign_wrong;
		break;
	default:
		holds = sign_wrong || rflags & FLAG_ZF;
		break;
	}
	return holds != (condition & 1);
}

/* ADD OR ADC SBB AND SUB XOR, and CMP and TEST, which store nothing. */
enum emulate_verdict do_binary(struct emulate *e)
{
	bool stores = e->insn.action != INSN_CMP && e->insn.action != INSN_TEST;
	enum emulate_access access = stores ? ACCESS_READ_TO_WRITE : ACCESS_READ;
	bool carry = e->r.rflags & FLAG_CF;
	struct operand to, from;
	u64 a, b, result;
	unsigned size;

	TRY(operand_find(e, 0, access, &to));
	TRY(operand_find(e, 1, ACCESS_READ, &from));
	TRY(operand_read(e, &from, ACCESS_READ, &b));
	TRY(operand_read(e, &to, access, &a));
	size = to.size;
	switch (e->insn.action) {
	case INSN_ADD:
		result = add(e, a, b, false, size);
		break;
	case INSN_ADC:
		result = add(e, a, b, carry, size);
		break;
	case INSN_SBB:
		result = subtract(e, a, b, carry, size);
		break;
	case INSN_OR:
		result = logic(e, a | b, size);
		break;
	case INSN_AND:
	case INSN_TEST:
		result = logic(e, a & b, size);
		break;
	case INSN_XOR:
		result = logic(e, a ^ b, size);
		break;
	default: /* SUB CMP */
		result = subtract(e, a, b, false, size);
		break;
	}
	return stores ? operand_update(e, &to, a, result) : EMULATE_OK;
}

/* INC and DEC leave CF alone, NOT all flags. */
enum emulate_verdict do_unary(struct emulate *e)
{
	u64 carry = e->r.rflags & FLAG_CF, a, result;
	struct operand o;

	TRY(operand_find(e, 0, ACCESS_READ_TO_WRITE, &o));
	TRY(operand_read(e, &o, ACCESS_READ_TO_WRITE, &a));
	switch (e->insn.action) {
	case INSN_INC:
		result = add(e, a, 1, false, o.size);
		set_flags(e, FLAG_CF, carry);
		break;
	case INSN_DEC:
		result = subtract(e, a, 1, false, o.size);
		set_flags(e, FLAG_CF, carry);
		break;
	case INSN_NEG:
		result = subtract(e, 0, a, false, o.size);
		break;
	default: /* NOT */
		result = ~a;
		break;
	}
	return operand_update(e, &o, a, result);
}

/* ROL ROR RCL RCR: one step at a time is at most 63 steps, and plainly right. Only CF and OF
 * change; OF is defined for one step. */
static u64 rotate(struct emulate *e, u64 a, unsigned count, unsigned size)
{
	bool left = e->insn.action == INSN_ROL || e->insn.action == INSN_RCL;
	bool through = e->insn.action == INSN_RCL || e->insn.action == INSN_RCR;
	bool carry = e->r.rflags & FLAG_CF;
	u64 top = sign_bit(size), before = a;

	for (unsigned i = 0; i < count; i++) {
		bool out = a & (left ? top : 1), in = through ? carry : out;

		before = a;
		a = left ? a << 1 | in : a >> 1 | (in ? top : 0);
		a = low_bytes(a, size);
		carry = out;
	}
	set_flags(e, FLAG_CF | FLAG_OF, (carry ? FLAG_CF : 0) | ((a ^ before) & top ? FLAG_OF : 0));
	return a;
}

/* SHL SHR SAR, count being 1 to 63. OF is defined for a count of one. */
static u64 shift(struct emulate *e, u64 a, unsigned count, unsigned size)
{
	u64 top = sign_bit(size), last, result, flags;

	switch (e->insn.action) {
	case INSN_SHL:
		last = a << (count - 1) & top;
		result = low_bytes(a << (count - 1) << 1, size);
		flags = !last != !(result & top) ? FLAG_OF : 0;
		break;
	case INSN_SHR:
		last = a >> (count - 1) & 1;
		result = a >> (count - 1) >> 1;
		flags = a & top ? FLAG_OF : 0;
		break;
	default: /* SAR */
		a = sign_extend(a, size);
		last = (u64)((s64)a >> (count - 1)) & 1;
		result = low_bytes((u64)((s64)a >> (count - 1) >> 1), size);
		flags = 0;
		break;
	}
	flags |= result_flags(result, size) | (last ? FLAG_CF : 0);
	set_flags(e, FLAGS_RESULT | FLAG_CF | FLAG_OF, flags);
	return result;
}

enum emulate_verdict do_shift(struct emulate *e)
{
	struct operand o, by;
	u64 a, count, result;
	bool shifts =
	    e->insn.action == INSN_SHL || e->insn.action == INSN_SHR || e->insn.action == INSN_SAR;

	TRY(operand_find(e, 0, ACCESS_READ_TO_WRITE, &o));
	TRY(operand_find(e, 1, ACCESS_READ, &by));
	TRY(operand_read(e, &by, ACCESS_READ, &count));
	TRY(operand_read(e, &o, ACCESS_READ_TO_WRITE, &a));
	count &= o.size == 8 ? 63 : 31;
	result = a;
	if (count)
		result = shifts ? shift(e, a, count, o.size) : rotate(e, a, count, o.size);
	return operand_update(e, &o, a, result);
}

/* BT BTS BTR BTC. A register's bit offset is signed and leads out of a memory operand; an
 * immediate's does not (SDM vol. 2, "BT", and vol. 2, 3.1.1.9, "Bit(BitBase, BitOffset)"). */
enum emulate_verdict do_bit(struct emulate *e)
{
	bool stores = e->insn.action != INSN_BT;
	enum emulate_access access = stores ? ACCESS_READ_TO_WRITE : ACCESS_READ;
	unsigned size = e->insn.operand_bytes;
	struct operand o, by;
	enum segment segment;
	u64 a, bit, mask, offset;

	TRY(operand_find(e, 1, ACCESS_READ, &by));
	TRY(operand_read(e, &by, ACCESS_READ, &bit));
	if (insn_has_memory(&e->insn)) {
		o = (struct operand){.where = AT_MEMORY, .size = size};
		offset = effective_address(e, &segment);
		if (by.where == AT_REGISTER) {
			s64 units = (s64)sign_extend(bit, size) >> __builtin_ctz(8 * size);

			offset = low_bytes(offset + (u64)units * size, e->insn.address_bytes);
		}
		TRY(linear_address(e, segment, offset, size, access, &o.linear));
	} else {
		TRY(operand_find(e, 0, access, &o));
	}
	TRY(operand_read(e, &o, access, &a));
	mask = 1ul << (bit & (8 * size - 1));
	set_flags(e, FLAG_CF, a & mask ? FLAG_CF : 0);
	switch (e->insn.action) {
	case INSN_BTS:
		return operand_update(e, &o, a, a | mask);
	case INSN_BTR:
		return operand_update(e, &o, a, a & ~mask);
	case INSN_BTC:
		return operand_update(e, &o, a, a ^ mask);
	default:
		return EMULATE_OK;
	}
}
