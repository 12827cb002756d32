// SPDX-License-Identifier: MIT
/*
 * decode.c - the decoder: prefixes, opcode, ModRM, displacement, immediates, in this order, as the
 * processor reads them (SDM vol. 2, chapter 2). The generated tables are included here and nowhere
 * else. A byte is only read through a check against the end, which is the given count or 15, so the
 * answer for a prefix of an instruction is DECODE_MORE until it is whole.
 */
#include "arch/x86/emulate/decode.h"
#include "arch/x86/emulate/private.h"

enum immediate {
	IMMEDIATE_NONE,
	IMMEDIATE_BYTE,
	IMMEDIATE_WORD,
	IMMEDIATE_DWORD,
	IMMEDIATE_Z,	     /* 2 or 4 by operand size */
	IMMEDIATE_V,	     /* 2, 4 or 8 by operand size */
	IMMEDIATE_BRANCH,    /* as Z, but see DECODE_AMD_BRANCHES */
	IMMEDIATE_OFFSET,    /* by address size */
	IMMEDIATE_FAR,	     /* Z, and a selector */
	IMMEDIATE_WORD_BYTE, /* ENTER */
	IMMEDIATE_BYTE_BYTE, /* EXTRQ, INSERTQ */
};

#define FORM_MODRM	1
#define FORM_DEFAULT_64 2 /* the operand size in 64-bit mode is 8, or 2 with 66 */
#define FORM_FORCED_64	4 /* the operand size in 64-bit mode is 8 */
#define FORM_LOCKABLE	8
#define FORM_ANY_MOD	16 /* MOV CRn, DRn: ModRM names a register whatever its mod field says */

struct opcode_form {
	u8 action, immediate, flags, operand[2];
};

/* A node of the tables: a form's index, or a split and where its run begins. */
#define SPLIT(kind, base) (0x8000 | SPLIT_##kind << 12 | (base))

#include "arch/x86/emulate/opcode-tables.inc"

_Static_assert(ARRAY_SIZE(runs) <= 0x1000, "a node has 12 bits for its run");

struct decoder {
	const u8 *next, *end;
	struct insn *insn;
	enum decode_result short_of_bytes; /* what it means to run into the end */
	u8 vector_length;		   /* L, or 3 for EVEX's reserved value */
	u8 selecting_prefix;		   /* 0 none, 1 66, 2 F3, 3 F2, in VEX's order */
	bool evex_b;			   /* embedded rounding if there is no memory operand */
	bool amd_branches;
};

static inline bool take(struct decoder *d, u8 *byte)
{
	if (d->next == d->end)
		return false;
	*byte = *d->next++;
	return true;
}

/* A little-endian value of size bytes, sign-extended. */
static inline bool take_value(struct decoder *d, unsigned size, u64 *value)
{
	u64 v = 0;

	if ((size_t)(d->end - d->next) < size)
		return false;
	for (unsigned i = 0; i < size; i++)
		v |= (u64)d->next[i] << (8 * i);
	d->next += size;
	*value = size ? (u64)((s64)(v << (64 - 8 * size)) >> (64 - 8 * size)) : 0;
	return true;
}

/* What a legacy prefix does to the instruction. */
static inline u8 prefix_of(struct decoder *d, u8 byte)
{
	struct insn *insn = d->insn;

	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		/* ES CS SS DS do nothing in 64-bit mode (SDM vol. 1, 3.4.4) */
		if (insn->mode != DECODE_64)
			insn->segment = byte >> 3 & 3;
		return 0;
	case 0x64:
	case 0x65:
		insn->segment = byte - 0x64 + SEGMENT_FS;
		return 0;
	case 0x66:
		return PREFIX_66;
	case 0x67:
		return PREFIX_67;
	case 0xf0:
		return PREFIX_LOCK;
	case 0xf2:
		d->selecting_prefix = 3;
		return PREFIX_REPNE;
	case 0xf3:
		d->selecting_prefix = 2;
		return PREFIX_REP;
	}
	return 0;
}

/* Most bytes here are opcodes: one look at a bit per byte value tells. */
static inline bool is_prefix(u8 byte)
{
	static const u64 bits[4] = {
	    [0x26 >> 6] = 1ul << 0x26 | 1ul << 0x2e | 1ul << 0x36 | 1ul << 0x3e,
	    [0x64 >> 6] = 0xful << (0x64 & 63),
	    [0xf0 >> 6] = 0xdul << (0xf0 & 63),
	};

	return bits[byte >> 6] >> (byte & 63) & 1;
}

/* Read all prefixes and leave the byte after them in *byte. REX counts only right before the
 * opcode. */
static inline bool take_prefixes(struct decoder *d, u8 *byte)
{
	struct insn *insn = d->insn;

	while (take(d, byte)) {
		if (insn->mode == DECODE_64 && (*byte & 0xf0) == 0x40) {
			insn->rex = *byte;
			continue;
		}
		if (!is_prefix(*byte)) {
			if (!d->selecting_prefix && insn->prefixes & PREFIX_66)
				d->selecting_prefix = 1;
			return true;
		}
		insn->rex = 0;
		insn->prefixes |= prefix_of(d, *byte);
	}
	return false;
}

/*
 * The vector prefixes: SDM vol. 2, 2.3.5 (VEX) and 2.7.1 (EVEX), APM vol. 3, 1.9 (XOP). R X B stand
 * inverted in them. No legacy prefix but 67 and segments may precede, nor REX.
 */
static enum decode_result take_vex(struct decoder *d, u8 escape)
{
	struct insn *insn = d->insn;
	u8 first, second = 0, select;

	if (insn->rex || insn->prefixes & ~PREFIX_67)
		return DECODE_INVALID;
	if (!take(d, &first) || (escape != 0xc5 && !take(d, &second)))
		return d->short_of_bytes;
	if (escape == 0xc5) {
		second = first & 0x7f;
		first = (first & 0x80) | 0x61;
	}
	insn->rex = (~first >> 5 & 7) | (second >> 4 & REX_W);
	d->vector_length = second >> 2 & 1;
	d->selecting_prefix = second & 3;
	select = first & 0x1f;
	if (escape == 0x8f) {
		if (select > 10)
			return DECODE_INVALID;
		insn->map = MAP_XOP_8 + select - 8;
	} else {
		if (select < 1 || select > 3)
			return DECODE_INVALID;
		insn->map = MAP_VEX_0F + select - 1;
	}
	return DECODE_OK;
}

static enum decode_result take_evex(struct decoder *d)
{
	static const u8 maps_of_evex[8] = {0, MAP_EVEX_0F, MAP_EVEX_0F38, MAP_EVEX_0F3A,
					   0, MAP_EVEX_5,  MAP_EVEX_6,	  0};
	struct insn *insn = d->insn;
	u8 first, second, third;

	if (insn->rex || insn->prefixes & ~PREFIX_67)
		return DECODE_INVALID;
	if (!take(d, &first) || !take(d, &second) || !take(d, &third))
		return d->short_of_bytes;
	insn->map = maps_of_evex[first & 7];
	if (!insn->map || first & 8 || !(second & 4))
		return DECODE_INVALID;
	insn->rex = (~first >> 5 & 7) | (second >> 4 & REX_W);
	d->selecting_prefix = second & 3;
	d->vector_length = third >> 5 & 3;
	d->evex_b = third & 0x10;
	return DECODE_OK;
}

/* Outside 64-bit mode C4, C5 and 62 are LES, LDS and BOUND unless what follows looks like a ModRM
 * byte that names a register, which those do not take. 8F is POP unless reg is not 0. */
static inline bool is_vector_prefix(const struct decoder *d, u8 byte)
{
	if (byte == 0x8f)
		return (*d->next & 0x1f) >= 8;
	if (byte == 0xc4 || byte == 0xc5 || byte == 0x62)
		return d->insn->mode == DECODE_64 || *d->next >= 0xc0;
	return false;
}

static inline enum decode_result take_opcode(struct decoder *d)
{
	struct insn *insn = d->insn;
	enum decode_result result;
	u8 byte;

	if (!take_prefixes(d, &byte))
		return d->short_of_bytes;
	insn->map = MAP_ONE_BYTE;
	if (byte == 0x0f) {
		if (!take(d, &byte))
			return d->short_of_bytes;
		insn->map = byte == 0x38 ? MAP_0F38 : byte == 0x3a ? MAP_0F3A : MAP_TWO_BYTE;
		if (byte == 0x0f)
			insn->map = MAP_3DNOW;
		if (insn->map != MAP_TWO_BYTE && insn->map != MAP_3DNOW && !take(d, &byte))
			return d->short_of_bytes;
	} else if (byte == 0x8f || byte == 0xc4 || byte == 0xc5 || byte == 0x62) {
		if (d->next == d->end)
			return d->short_of_bytes;
		if (is_vector_prefix(d, byte)) {
			result = byte == 0x62 ? take_evex(d) : take_vex(d, byte);
			if (result != DECODE_OK)
				return result;
			if (!take(d, &byte))
				return d->short_of_bytes;
		}
	}
	insn->opcode = byte;
	return DECODE_OK;
}

static bool take_modrm(struct decoder *d)
{
	if (d->insn->has_modrm)
		return true;
	d->insn->has_modrm = true;
	return take(d, &d->insn->modrm);
}

/* Walk the opcode's tree down to its form. */
static inline enum decode_result find_form(struct decoder *d, const struct opcode_form **form)
{
	struct insn *insn = d->insn;
	u16 node = maps[insn->map][insn->opcode];
	unsigned choice = 0;

	while (node & 0x8000) {
		enum split split = node >> 12 & 7;

		if (split >= SPLIT_MOD && !take_modrm(d))
			return d->short_of_bytes;
		switch (split) {
		case SPLIT_MODE:
			choice = insn->mode == DECODE_64;
			break;
		case SPLIT_PREFIX:
			choice = d->selecting_prefix;
			break;
		case SPLIT_W:
			choice = insn->rex & REX_W ? 1 : 0;
			break;
		case SPLIT_L:
			choice = d->vector_length;
			if (d->evex_b) {
				if (!take_modrm(d))
					return d->short_of_bytes;
				choice = insn_mod(insn) == 3 ? 2 : choice;
			}
			break;
		case SPLIT_MOD:
			choice = insn_mod(insn) == 3;
			break;
		case SPLIT_REG:
			choice = insn->modrm >> 3 & 7;
			break;
		case SPLIT_RM:
			choice = insn->modrm & 7;
			break;
		}
		node = runs[(node & 0xfff) + choice];
	}
	*form = &forms[node];
	return node ? DECODE_OK : DECODE_INVALID;
}

static inline void set_sizes(struct insn *insn, u8 flags)
{
	bool small = insn->prefixes & PREFIX_66;

	switch (insn->mode) {
	case DECODE_64:
		insn->address_bytes = insn->prefixes & PREFIX_67 ? 4 : 8;
		if (insn->rex & REX_W || flags & FORM_FORCED_64)
			insn->operand_bytes = 8;
		else if (small)
			insn->operand_bytes = 2;
		else
			insn->operand_bytes = flags & FORM_DEFAULT_64 ? 8 : 4;
		break;
	case DECODE_32:
		insn->address_bytes = insn->prefixes & PREFIX_67 ? 2 : 4;
		insn->operand_bytes = small ? 2 : 4;
		break;
	default:
		insn->address_bytes = insn->prefixes & PREFIX_67 ? 4 : 2;
		insn->operand_bytes = small ? 4 : 2;
		break;
	}
}

/* SIB and displacement: SDM vol. 2, tables 2-1 to 2-3. */
static inline bool take_memory(struct decoder *d)
{
	struct insn *insn = d->insn;
	unsigned mod = insn_mod(insn), rm = insn->modrm & 7;
	unsigned size = mod == 1 ? 1 : mod == 2 ? 4 : 0;
	u64 displacement;

	if (insn->address_bytes == 2) {
		if (mod == 2 || (mod == 0 && rm == 6))
			size = 2;
	} else {
		if (rm == 4) {
			if (!take(d, &insn->sib))
				return false;
			rm = insn->sib & 7;
		}
		if (mod == 0 && rm == 5)
			size = 4;
	}
	if (!take_value(d, size, &displacement))
		return false;
	insn->displacement = (s32)displacement;
	return true;
}

static inline bool is_branch_cut(const struct decoder *d)
{
	return d->amd_branches && d->insn->prefixes & PREFIX_66 && !(d->insn->rex & REX_W);
}

static inline bool take_immediate(struct decoder *d, enum immediate kind)
{
	struct insn *insn = d->insn;
	unsigned z = insn->operand_bytes == 2 ? 2 : 4, second_size = 0;
	u64 second;
	bool ok = true;

	switch (kind) {
	case IMMEDIATE_NONE:
		return true;
	case IMMEDIATE_BYTE:
		return take_value(d, 1, &insn->immediate);
	case IMMEDIATE_WORD:
		return take_value(d, 2, &insn->immediate);
	case IMMEDIATE_DWORD:
		return take_value(d, 4, &insn->immediate);
	case IMMEDIATE_Z:
		return take_value(d, z, &insn->immediate);
	case IMMEDIATE_V:
		return take_value(d, insn->operand_bytes, &insn->immediate);
	case IMMEDIATE_BRANCH:
		if (insn->mode == DECODE_64)
			z = is_branch_cut(d) ? 2 : 4;
		return take_value(d, z, &insn->immediate);
	case IMMEDIATE_OFFSET:
		return take_value(d, insn->address_bytes, &insn->immediate);
	case IMMEDIATE_FAR:
		ok = take_value(d, z, &insn->immediate);
		second_size = 2;
		break;
	case IMMEDIATE_WORD_BYTE:
		ok = take_value(d, 2, &insn->immediate);
		second_size = 1;
		break;
	case IMMEDIATE_BYTE_BYTE:
		ok = take_value(d, 1, &insn->immediate);
		second_size = 1;
		break;
	}
	if (!ok || !take_value(d, second_size, &second))
		return false;
	insn->immediate2 = (u16)second;
	return true;
}

/* LOCK wants an opcode that takes it and a destination in memory: else #UD (SDM vol. 2, "LOCK"). */
static inline bool is_lock_wrong(const struct insn *insn)
{
	return insn->prefixes & PREFIX_LOCK && !(insn->lockable && insn_has_memory(insn));
}

static enum decode_result decode_rest(struct decoder *d)
{
	const struct opcode_form *form;
	struct insn *insn = d->insn;
	enum decode_result result = take_opcode(d);
	u8 suffix;

	if (result != DECODE_OK)
		return result;
	if (insn->map == MAP_3DNOW) {
		static const struct opcode_form operands = {.flags = FORM_MODRM};

		form = &operands;
	} else {
		result = find_form(d, &form);
		if (result != DECODE_OK)
			return result;
	}
	if (form->flags & FORM_MODRM && !take_modrm(d))
		return d->short_of_bytes;
	if (form->flags & FORM_ANY_MOD)
		insn->modrm |= 0xc0;
	insn->lockable = form->flags & FORM_LOCKABLE;
	if (is_lock_wrong(insn))
		return DECODE_INVALID;
	set_sizes(insn, form->flags);
	if (insn_has_memory(insn) && !take_memory(d))
		return d->short_of_bytes;
	if (!take_immediate(d, form->immediate))
		return d->short_of_bytes;
	if (insn->map == MAP_3DNOW) {
		if (!take(d, &suffix))
			return d->short_of_bytes;
		insn->opcode = suffix;
		if (!maps[MAP_3DNOW][suffix])
			return DECODE_INVALID;
	}
	insn->action = form->action;
	insn->operand[0] = form->operand[0];
	insn->operand[1] = form->operand[1];
	return DECODE_OK;
}

enum decode_result decode(struct insn *insn, const u8 *bytes, size_t count, unsigned mode)
{
	struct decoder d = {
	    .next = bytes,
	    .end = bytes + MIN(count, (size_t)INSN_MAX),
	    .insn = insn,
	    .short_of_bytes = count < INSN_MAX ? DECODE_MORE : DECODE_TOO_LONG,
	    .amd_branches = mode & DECODE_AMD_BRANCHES,
	};
	enum decode_result result;

	*insn = (struct insn){.mode = mode & 3, .segment = SEGMENT_COUNT};
	result = decode_rest(&d);
	insn->length = (u8)(d.next - bytes);
	return result;
}
