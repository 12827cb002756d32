/* SPDX-License-Identifier: MIT */
/* private.h - what the opcode maps say about an instruction beyond its length: shared by the room's own
 * files only. INSN_ actions come from the maps' starred names. */
#ifndef ARCH_X86_EMULATE_PRIVATE_H
#define ARCH_X86_EMULATE_PRIVATE_H

#include "arch/x86/emulate/decode.h"
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

#endif
