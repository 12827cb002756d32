/* SPDX-License-Identifier: MIT */
/*
 * private.h - what the room's own files share: operands as the opcode maps give them, and the
 * helpers that find, read and write them. INSN_ actions come from the maps' starred names.
 */
#ifndef ARCH_X86_EMULATE_PRIVATE_H
#define ARCH_X86_EMULATE_PRIVATE_H

#include "arch/x86/emulate/emulate.h"
#include "arch/x86/emulate/opcode-actions.h"

/* Where an operand lies, after the letters of SDM vol. 2, appendix A.2.1, and how large it is. */
enum operand_kind {
	OPERAND_NONE,
	OPERAND_MODRM_RM,    /* E M R W */
	OPERAND_MODRM_REG,   /* G */
	OPERAND_OPCODE_REG,  /* Z */
	OPERAND_ACCUMULATOR, /* AL rAX */
	OPERAND_IMMEDIATE,   /* I */
	OPERAND_OFFSET,	     /* O */
	OPERAND_CONTROL,     /* C */
	OPERAND_DEBUG,	     /* D */
	OPERAND_SEGMENT,     /* S */
	OPERAND_VECTOR,	     /* V */
	OPERAND_SOURCE,	     /* X: DS:rSI */
	OPERAND_DESTINATION, /* Y: ES:rDI */
	OPERAND_DX,
	OPERAND_CL,
	OPERAND_ONE,
};

enum operand_size {
	SIZE_B = 0x00, /* byte */
	SIZE_W = 0x20, /* word */
	SIZE_V = 0x40, /* operand size */
	SIZE_Z = 0x60, /* operand size, 4 if that is 8 */
	SIZE_Y = 0x80, /* 8 with an operand size of 8, else 4 */
	SIZE_X = 0xa0, /* 16 bytes */
};

#define OPERAND_KIND(operand) ((enum operand_kind)((operand)&0x1f))
#define OPERAND_SIZE(operand) ((enum operand_size)((operand)&0xe0))

enum gpr { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

#define FLAG_CF	  (1ul << 0)
#define FLAG_ONE  (1ul << 1) /* always set */
#define FLAG_PF	  (1ul << 2)
#define FLAG_AF	  (1ul << 4)
#define FLAG_ZF	  (1ul << 6)
#define FLAG_SF	  (1ul << 7)
#define FLAG_TF	  (1ul << 8)
#define FLAG_IF	  (1ul << 9)
#define FLAG_DF	  (1ul << 10)
#define FLAG_OF	  (1ul << 11)
#define FLAG_IOPL (3ul << 12)
#define FLAG_NT	  (1ul << 14)
#define FLAG_RF	  (1ul << 16)
#define FLAG_VM	  (1ul << 17)
#define FLAG_AC	  (1ul << 18)
#define FLAG_ID	  (1ul << 21)

/* Hand a verdict other than EMULATE_OK to the caller. */
#define TRY(call)                                                                                  \
	do {                                                                                       \
		enum emulate_verdict verdict_ = (call);                                            \
                                                                                                   \
		if (verdict_ != EMULATE_OK)                                                        \
			return verdict_;                                                           \
	} while (0)

/* An operand found: a register, a place in memory whose segment has been checked, or a value. */
struct operand {
	enum { AT_REGISTER, AT_MEMORY, AT_VALUE } where;
	u8 size; /* 1, 2, 4, 8 or 16 */
	u8 number;
	bool high; /* AH CH DH BH */
	u64 linear;
	u64 value;
};

static inline u64 low_bytes(u64 value, unsigned size)
{
	return size >= 8 ? value : value & ((1ul << (8 * size)) - 1);
}

static inline u64 sign_extend(u64 value, unsigned size)
{
	return (u64)((s64)(value << (64 - 8 * size)) >> (64 - 8 * size));
}

static inline bool is_canonical(u64 address)
{
	return sign_extend(address, 6) == address;
}

static inline bool is_64(const struct emulate *e)
{
	return e->insn.mode == DECODE_64;
}

/* operand.c */
u64 register_read(const struct emulate *e, unsigned number, unsigned size);
void register_write(struct emulate *e, unsigned number, unsigned size, u64 value);
enum emulate_verdict segment_of(struct emulate *e, enum segment segment, struct emulate_segment *s);
enum emulate_verdict linear_address(struct emulate *e, enum segment segment, u64 offset,
				    size_t size, enum emulate_access access, u64 *linear);
u64 effective_address(const struct emulate *e, enum segment *segment);
enum emulate_verdict memory_operand(struct emulate *e, size_t size, enum emulate_access access,
				    u64 *linear);
enum emulate_verdict aligned_operand(struct emulate *e, enum emulate_access access, u64 *linear);
enum emulate_verdict operand_find(struct emulate *e, unsigned index, enum emulate_access access,
				  struct operand *o);
enum emulate_verdict operand_read(struct emulate *e, const struct operand *o,
				  enum emulate_access access, u64 *value);
enum emulate_verdict operand_write(struct emulate *e, const struct operand *o, u64 value);
enum emulate_verdict operand_update(struct emulate *e, const struct operand *o, u64 from, u64 to);
enum emulate_verdict stack_release(struct emulate *e, u64 bytes);
enum emulate_verdict stack_push(struct emulate *e, unsigned size, u64 value);
enum emulate_verdict stack_pop(struct emulate *e, unsigned size, u64 *value);

/* arithmetic.c */
bool condition_holds(u64 rflags, unsigned condition);
u64 add_flags(struct emulate *e, u64 a, u64 b, unsigned size);
void compare_flags(struct emulate *e, u64 a, u64 b, unsigned size);

/* system.c */
enum emulate_verdict check_io(struct emulate *e, u16 port, unsigned size);

/* The actions, one function a group. */
enum emulate_verdict do_binary(struct emulate *e);
enum emulate_verdict do_unary(struct emulate *e);
enum emulate_verdict do_shift(struct emulate *e);
enum emulate_verdict do_bit(struct emulate *e);
enum emulate_verdict do_move(struct emulate *e);
enum emulate_verdict do_conditional(struct emulate *e);
enum emulate_verdict do_exchange(struct emulate *e);
enum emulate_verdict do_compare_exchange(struct emulate *e);
enum emulate_verdict do_compare_exchange_pair(struct emulate *e);
enum emulate_verdict do_stack(struct emulate *e);
enum emulate_verdict do_vector_store(struct emulate *e);
enum emulate_verdict do_string(struct emulate *e);
enum emulate_verdict do_flag(struct emulate *e);
enum emulate_verdict do_halt(struct emulate *e);
enum emulate_verdict do_machine_word(struct emulate *e);
enum emulate_verdict do_control_register(struct emulate *e);
enum emulate_verdict do_debug_register(struct emulate *e);
enum emulate_verdict do_msr(struct emulate *e);
enum emulate_verdict do_counter(struct emulate *e);
enum emulate_verdict do_table(struct emulate *e);
enum emulate_verdict do_selector(struct emulate *e);
enum emulate_verdict do_invalidate(struct emulate *e);
enum emulate_verdict do_port(struct emulate *e);
enum emulate_verdict do_cpuid(struct emulate *e);
enum emulate_verdict do_monitor(struct emulate *e);
enum emulate_verdict do_interrupt(struct emulate *e);
enum emulate_verdict do_stack_segment(struct emulate *e);
enum emulate_verdict do_far_return(struct emulate *e);
enum emulate_verdict do_sysret(struct emulate *e);

#endif
