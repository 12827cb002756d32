/* SPDX-License-Identifier: MIT */
/*
 * decode.h - from bytes to an instruction: its length, for every instruction that there is, and the
 * fields that the emulator acts on. Pure: no memory but the bytes given, never one past them, no
 * state. README.md tells where the tables come from; emulate.h is the other half.
 */
#ifndef ARCH_X86_EMULATE_DECODE_H
#define ARCH_X86_EMULATE_DECODE_H

#include "lib/compiler.h"
#include "lib/types.h"

#define INSN_MAX 15 /* a longer one is #GP(0): SDM vol. 3, 6.15, interrupt 13 */

/* The code segment's mode. Or-ed to DECODE_64: the processor is AMD's and lets 66 cut the
 * displacement of near branches to 16 bits; Intel's ignores the prefix there (SDM vol. 2, "Jcc",
 * "JMP", "CALL"). */
enum decode_mode { DECODE_16, DECODE_32, DECODE_64, DECODE_AMD_BRANCHES = 4 };

enum decode_result {
	DECODE_OK,
	DECODE_MORE,	 /* the bytes end within the instruction */
	DECODE_INVALID,	 /* no instruction begins so: #UD */
	DECODE_TOO_LONG, /* more than 15 bytes */
};

enum segment {
	SEGMENT_ES,
	SEGMENT_CS,
	SEGMENT_SS,
	SEGMENT_DS,
	SEGMENT_FS,
	SEGMENT_GS,
	SEGMENT_COUNT
};

#define PREFIX_66    1
#define PREFIX_67    2
#define PREFIX_LOCK  4
#define PREFIX_REPNE 8
#define PREFIX_REP   16

#define REX_B 1
#define REX_X 2
#define REX_R 4
#define REX_W 8
#define REX   0x40 /* the prefix is there: SPL..DIL instead of AH..BH */

/* Which of the opcode maps an opcode belongs to, in the order of the generated tables. */
enum opcode_map {
	MAP_ONE_BYTE,
	MAP_TWO_BYTE,
	MAP_0F38,
	MAP_0F3A,
	MAP_3DNOW,
	MAP_VEX_0F,
	MAP_VEX_0F38,
	MAP_VEX_0F3A,
	MAP_EVEX_0F,
	MAP_EVEX_0F38,
	MAP_EVEX_0F3A,
	MAP_EVEX_5,
	MAP_EVEX_6,
	MAP_XOP_8,
	MAP_XOP_9,
	MAP_XOP_A,
};

struct insn {
	u8 length;
	u8 mode;	  /* enum decode_mode without the flag */
	u8 prefixes;	  /* PREFIX_ */
	u8 rex;		  /* REX_, from REX, VEX, EVEX or XOP alike */
	u8 segment;	  /* enum segment by override, or SEGMENT_COUNT */
	u8 map, opcode;	  /* enum opcode_map */
	u8 modrm, sib;	  /* 0 if there is none */
	u8 operand_bytes; /* 2, 4 or 8 */
	u8 address_bytes; /* 2, 4 or 8 */
	u8 action;	  /* what the emulator does, or 0: private.h */
	u8 operand[2];	  /* where it finds its operands: private.h */
	bool has_modrm;
	bool lockable;	/* the opcode takes LOCK if its destination is memory */
	u16 immediate2; /* ENTER's second, a far pointer's selector */
	s32 displacement;
	u64 immediate; /* sign-extended; of MOV's moffs forms the offset */
};

/* Decode the instruction that the count bytes begin with. *insn is defined only after DECODE_OK. */
enum decode_result decode(struct insn *insn, const u8 *bytes, size_t count,
			  unsigned mode) __must_check;

static inline unsigned insn_mod(const struct insn *insn)
{
	return insn->modrm >> 6;
}

static inline unsigned insn_reg(const struct insn *insn)
{
	return (insn->modrm >> 3 & 7) | (insn->rex & REX_R) << 1;
}

static inline unsigned insn_rm(const struct insn *insn)
{
	return (insn->modrm & 7) | (insn->rex & REX_B) << 3;
}

static inline bool insn_has_memory(const struct insn *insn)
{
	return insn->has_modrm && insn_mod(insn) != 3;
}

#endif
