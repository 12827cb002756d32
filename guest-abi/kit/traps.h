/* SPDX-License-Identifier: MIT */
/*
 * traps.h - descriptors, gates and ticks for a kernel that has none: an IDT whose every gate leads
 * to gn_trap(), a TSS, SYSCALL, and a periodic interrupt. Link with $(kit-traps). A kernel that has
 * its own keeps them: the privileged instructions of this file are plain ones, emulated on Gnomon.
 */
#ifndef GUEST_ABI_KIT_TRAPS_H
#define GUEST_ABI_KIT_TRAPS_H

#include <stdint.h>

/* What is on the stack; low address first. */
struct gn_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error; /* 0 if the vector has none */
	uint64_t rip, cs, rflags, rsp, ss;
};

/* The kernel's own: called for each exception and interrupt; it returns to what it interrupted. */
void gn_trap(struct gn_frame *frame);

/* Vectors 0 to 47. SYSCALL arrives at system_call as the CPU leaves it, with interrupts off. */
void gn_traps_init(void (*system_call)(void));

/* The stack on which gn_trap() is called when ring 3 is interrupted: the TSS's RSP0. */
void gn_traps_set_stack(uint64_t rsp);

/* GN_TICK_VECTOR each so many nanoseconds, 50 ms at most; gn_tick_done() asks for the next. */
#define GN_TICK_VECTOR 32
void gn_ticks_start(uint64_t nanoseconds);
void gn_tick_done(void);

#endif
