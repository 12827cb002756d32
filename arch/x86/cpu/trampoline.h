/* SPDX-License-Identifier: MIT */
/*
 * trampoline.h - what the first CPU writes behind the code of trampoline.S, for the CPU that it
 * starts. trampoline.S knows the offsets.
 */
#ifndef CPU_TRAMPOLINE_H
#define CPU_TRAMPOLINE_H

#define TRAMPOLINE_CR3	 0
#define TRAMPOLINE_CR4	 4
#define TRAMPOLINE_STACK 8
#define TRAMPOLINE_ENTRY 16
#define TRAMPOLINE_CPU	 24

#ifndef __ASSEMBLER__
#include "arch/x86/cpu/cpu.h"

struct trampoline_words {
	u32 cr3, cr4;
	u64 stack;
	void (*entry)(struct cpu *cpu);
	struct cpu *cpu;
};

_Static_assert(offsetof(struct trampoline_words, cr3) == TRAMPOLINE_CR3, "");
_Static_assert(offsetof(struct trampoline_words, cr4) == TRAMPOLINE_CR4, "");
_Static_assert(offsetof(struct trampoline_words, stack) == TRAMPOLINE_STACK, "");
_Static_assert(offsetof(struct trampoline_words, entry) == TRAMPOLINE_ENTRY, "");
_Static_assert(offsetof(struct trampoline_words, cpu) == TRAMPOLINE_CPU, "");

/* Copied to a page below 1 MiB; the words lie at trampoline_words within it. */
extern const u8 trampoline_start[], trampoline_words[], trampoline_end[];
#endif

#endif
