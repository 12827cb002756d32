/* SPDX-License-Identifier: MIT */
/*
 * rows.h - the unprivileged instructions that the emulator executes, one row an encoding, for the
 * test against the processor: name, opcode bytes, what follows, ModRM.reg if it belongs to the
 * opcode.
 */
#ifndef TESTS_HOST_EMULATE_ROWS_H
#define TESTS_HOST_EMULATE_ROWS_H

#include "lib/types.h"

#define MODRM	  1
#define MEMORY	  2  /* ModRM names memory */
#define LOCKABLE  4
#define REPEATED  8
#define OFFSET	  16 /* a moffs address follows */
#define UNDEFINED_AF	 32  /* logic */
#define UNDEFINED_SHIFT	 64  /* AF, and by count OF and CF */
#define UNDEFINED_BIT	 128 /* OF SF AF PF */
#define VECTOR	  256 /* its prefixes are part of the opcode, and it has a REX of no others */
#define NEEDS_66  512
#define NEEDS_F3  1024
#define ONLY_32	  2048
#define ONLY_64	  4096

struct row {
	const char *name;
	u8 opcode[4], size;
	u16 flags;
	s8 reg; /* -1: any */
};

#define ROW(name, size, flags, reg, ...) { name, { __VA_ARGS__ }, size, flags, reg },
#define ALU(name, base, digit, flags)                                                              \
	ROW(name " Eb Gb", 1, MODRM | LOCKABLE | (flags), -1, (base))                              \
	ROW(name " Ev Gv", 1, MODRM | LOCKABLE | (flags), -1, (base) + 1)                          \
	ROW(name " Gb Eb", 1, MODRM | (flags), -1, (base) + 2)                                     \
	ROW(name " Gv Ev", 1, MODRM | (flags), -1, (base) + 3)                                     \
	ROW(name " AL Ib", 1, flags, -1, (base) + 4)                                               \
	ROW(name " rAX Iz", 1, flags, -1, (base) + 5)                                              \
	ROW(name " Eb Ib", 1, MODRM | LOCKABLE | (flags), digit, 0x80)                             \
	ROW(name " Ev Iz", 1, MODRM | LOCKABLE | (flags), digit, 0x81)                             \
	ROW(name " Ev Ib", 1, MODRM | LOCKABLE | (flags), digit, 0x83)
#define SHIFT(name, digit)                                                                         \
	ROW(name " Eb Ib", 1, MODRM | UNDEFINED_SHIFT, digit, 0xc0)                                \
	ROW(name " Ev Ib", 1, MODRM | UNDEFINED_SHIFT, digit, 0xc1)                                \
	ROW(name " Eb 1", 1, MODRM | UNDEFINED_SHIFT, digit, 0xd0)                                 \
	ROW(name " Ev 1", 1, MODRM | UNDEFINED_SHIFT, digit, 0xd1)                                 \
	ROW(name " Eb CL", 1, MODRM | UNDEFINED_SHIFT, digit, 0xd2)                                \
	ROW(name " Ev CL", 1, MODRM | UNDEFINED_SHIFT, digit, 0xd3)
#define BIT(name, opcode, digit, flags)                                                            \
	ROW(name " Ev Gv", 2, MODRM | UNDEFINED_BIT | (flags), -1, 0x0f, opcode)                   \
	ROW(name " Ev Ib", 2, MODRM | UNDEFINED_BIT | (flags), digit, 0x0f, 0xba)
#define CONDITION(n)                                                                               \
	ROW("cmov" #n, 2, MODRM, -1, 0x0f, 0x40 + 0x##n)                                           \
	ROW("set" #n, 2, MODRM, -1, 0x0f, 0x90 + 0x##n)

static const struct row rows[] = {
	ALU("add", 0x00, 0, 0)
	ALU("or", 0x08, 1, UNDEFINED_AF)
	ALU("adc", 0x10, 2, 0)
	ALU("sbb", 0x18, 3, 0)
	ALU("and", 0x20, 4, UNDEFINED_AF)
	ALU("sub", 0x28, 5, 0)
	ALU("xor", 0x30, 6, UNDEFINED_AF)
	ALU("cmp", 0x38, 7, 0)
	ROW("add Eb Ib, 82", 1, MODRM | LOCKABLE | ONLY_32, 0, 0x82)
	ROW("test Eb Gb", 1, MODRM | UNDEFINED_AF, -1, 0x84)
	ROW("test Ev Gv", 1, MODRM | UNDEFINED_AF, -1, 0x85)
	ROW("test AL Ib", 1, UNDEFINED_AF, -1, 0xa8)
	ROW("test rAX Iz", 1, UNDEFINED_AF, -1, 0xa9)
	ROW("test Eb Ib", 1, MODRM | UNDEFINED_AF, 0, 0xf6)
	ROW("test Ev Iz", 1, MODRM | UNDEFINED_AF, 0, 0xf7)
	ROW("not Eb", 1, MODRM | LOCKABLE, 2, 0xf6)
	ROW("not Ev", 1, MODRM | LOCKABLE, 2, 0xf7)
	ROW("neg Eb", 1, MODRM | LOCKABLE, 3, 0xf6)
	ROW("neg Ev", 1, MODRM | LOCKABLE, 3, 0xf7)
	ROW("inc Eb", 1, MODRM | LOCKABLE, 0, 0xfe)
	ROW("inc Ev", 1, MODRM | LOCKABLE, 0, 0xff)
	ROW("dec Eb", 1, MODRM | LOCKABLE, 1, 0xfe)
	ROW("dec Ev", 1, MODRM | LOCKABLE, 1, 0xff)
	ROW("inc Zv", 1, ONLY_32, -1, 0x42)
	ROW("dec Zv", 1, ONLY_32, -1, 0x4e)
	SHIFT("rol", 0)
	SHIFT("ror", 1)
	SHIFT("rcl", 2)
	SHIFT("rcr", 3)
	SHIFT("shl", 4)
	SHIFT("shr", 5)
	SHIFT("shl /6", 6)
	SHIFT("sar", 7)
	BIT("bt", 0xa3, 4, 0)
	BIT("bts", 0xab, 5, LOCKABLE)
	BIT("btr", 0xb3, 6, LOCKABLE)
	BIT("btc", 0xbb, 7, LOCKABLE)
	CONDITION(0) CONDITION(1) CONDITION(2) CONDITION(3) CONDITION(4) CONDITION(5) CONDITION(6)
	CONDITION(7) CONDITION(8) CONDITION(9) CONDITION(a) CONDITION(b) CONDITION(c) CONDITION(d)
	CONDITION(e) CONDITION(f)
	ROW("mov Eb Gb", 1, MODRM, -1, 0x88)
	ROW("mov Ev Gv", 1, MODRM, -1, 0x89)
	ROW("mov Gb Eb", 1, MODRM, -1, 0x8a)
	ROW("mov Gv Ev", 1, MODRM, -1, 0x8b)
	ROW("mov Ev ES", 1, MODRM, 0, 0x8c)
	ROW("mov Ev CS", 1, MODRM, 1, 0x8c)
	ROW("mov Ev SS", 1, MODRM, 2, 0x8c)
	ROW("mov Ev FS", 1, MODRM, 4, 0x8c)
	ROW("mov AL Ob", 1, OFFSET, -1, 0xa0)
	ROW("mov rAX Ov", 1, OFFSET, -1, 0xa1)
	ROW("mov Ob AL", 1, OFFSET, -1, 0xa2)
	ROW("mov Ov rAX", 1, OFFSET, -1, 0xa3)
	ROW("mov Eb Ib", 1, MODRM, 0, 0xc6)
	ROW("mov Ev Iz", 1, MODRM, 0, 0xc7)
	ROW("movzx Gv Eb", 2, MODRM, -1, 0x0f, 0xb6)
	ROW("movzx Gv Ew", 2, MODRM, -1, 0x0f, 0xb7)
	ROW("movsx Gv Eb", 2, MODRM, -1, 0x0f, 0xbe)
	ROW("movsx Gv Ew", 2, MODRM, -1, 0x0f, 0xbf)
	ROW("movnti", 2, MODRM | MEMORY, -1, 0x0f, 0xc3)
	ROW("movbe Gv Mv", 3, MODRM | MEMORY, -1, 0x0f, 0x38, 0xf0)
	ROW("movbe Mv Gv", 3, MODRM | MEMORY, -1, 0x0f, 0x38, 0xf1)
	ROW("xchg Eb Gb", 1, MODRM | LOCKABLE, -1, 0x86)
	ROW("xchg Ev Gv", 1, MODRM | LOCKABLE, -1, 0x87)
	ROW("xadd Eb Gb", 2, MODRM | LOCKABLE, -1, 0x0f, 0xc0)
	ROW("xadd Ev Gv", 2, MODRM | LOCKABLE, -1, 0x0f, 0xc1)
	ROW("cmpxchg Eb Gb", 2, MODRM | LOCKABLE, -1, 0x0f, 0xb0)
	ROW("cmpxchg Ev Gv", 2, MODRM | LOCKABLE, -1, 0x0f, 0xb1)
	ROW("cmpxchg8b/16b", 2, MODRM | MEMORY | LOCKABLE, 1, 0x0f, 0xc7)
	ROW("push Zv", 1, 0, -1, 0x53)
	ROW("push rSP", 1, 0, -1, 0x54)
	ROW("pop Zv", 1, 0, -1, 0x59)
	ROW("pop rSP", 1, 0, -1, 0x5c)
	ROW("push Iz", 1, 0, -1, 0x68)
	ROW("push Ib", 1, 0, -1, 0x6a)
	ROW("push Ev", 1, MODRM, 6, 0xff)
	ROW("pop Ev", 1, MODRM, 0, 0x8f)
	ROW("pushf", 1, 0, -1, 0x9c)
	ROW("popf", 1, 0, -1, 0x9d)
	ROW("movsb", 1, REPEATED, -1, 0xa4)
	ROW("movs", 1, REPEATED, -1, 0xa5)
	ROW("cmpsb", 1, REPEATED, -1, 0xa6)
	ROW("cmps", 1, REPEATED, -1, 0xa7)
	ROW("stosb", 1, REPEATED, -1, 0xaa)
	ROW("stos", 1, REPEATED, -1, 0xab)
	ROW("lodsb", 1, REPEATED, -1, 0xac)
	ROW("lods", 1, REPEATED, -1, 0xad)
	ROW("scasb", 1, REPEATED, -1, 0xae)
	ROW("scas", 1, REPEATED, -1, 0xaf)
	ROW("movups", 2, MODRM | MEMORY | VECTOR, -1, 0x0f, 0x11)
	ROW("movaps", 2, MODRM | MEMORY | VECTOR, -1, 0x0f, 0x29)
	ROW("movntps", 2, MODRM | MEMORY | VECTOR, -1, 0x0f, 0x2b)
	ROW("movupd", 2, MODRM | MEMORY | VECTOR | NEEDS_66, -1, 0x0f, 0x11)
	ROW("movdqa", 2, MODRM | MEMORY | VECTOR | NEEDS_66, -1, 0x0f, 0x7f)
	ROW("movdqu", 2, MODRM | MEMORY | VECTOR | NEEDS_F3, -1, 0x0f, 0x7f)
	ROW("movntdq", 2, MODRM | MEMORY | VECTOR | NEEDS_66, -1, 0x0f, 0xe7)
	ROW("vmovups", 3, MODRM | MEMORY | VECTOR, -1, 0xc5, 0xf8, 0x11)
	ROW("vmovups xmm8", 3, MODRM | MEMORY | VECTOR | ONLY_64, -1, 0xc5, 0x78, 0x11)
	ROW("vmovaps", 3, MODRM | MEMORY | VECTOR, -1, 0xc5, 0xf8, 0x29)
	ROW("vmovdqu", 3, MODRM | MEMORY | VECTOR, -1, 0xc5, 0xfa, 0x7f)
	ROW("vmovntdq", 3, MODRM | MEMORY | VECTOR, -1, 0xc5, 0xf9, 0xe7)
};

#endif
