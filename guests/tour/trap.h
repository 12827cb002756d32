/* SPDX-License-Identifier: MIT */
/*
 * trap.h - exceptions and events: the tables that say where they arrive, and the frame in which
 * they do. C and assembler.
 */
#ifndef GUESTS_TOUR_TRAP_H
#define GUESTS_TOUR_TRAP_H

#define TRAP_VECTORS 48
#define TRAP_HAS_ERROR	 0x60227d00 /* vectors that push an error code, SDM 3A table 6-1 */
#define TRAP_SYSTEM_CALL 256 /* in place of a vector, in the frame of a system call */
#define ATTEMPT_DONE	 -1

/* The tour's choice of vectors for its events. */
#define VECTOR_TIMER   32
#define VECTOR_CONSOLE 33
#define VECTOR_SELF    34

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stdint.h>

enum {
	VECTOR_DE = 0,
	VECTOR_BP = 3,
	VECTOR_OF = 4,
	VECTOR_UD = 6,
	VECTOR_DF = 8,
	VECTOR_GP = 13,
	VECTOR_PF = 14,
};

/* Low address first: what entry.S pushes, then what the processor does. */
struct frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

static inline bool frame_is_user(const struct frame *f)
{
	return (f->cs & 3) == 3;
}

/* Give the monitor the IDT, the GDT, the system-call entry and the double fault's stack. */
void trap_load_tables(void);

/* Let everything arrive on a stack of its own, for when RSP may be anything. */
void trap_use_own_stack(bool own);

/* "#GP" and so on; a number's name if it has none. */
const char *trap_name(unsigned vector);

/* What stopped the last attempt(). */
struct refusal {
	uint64_t vector, error, rip, cr2;
};
extern struct refusal trap_last_refusal;
int attempt(void (*act)(uint64_t argument), uint64_t argument);

extern volatile uint64_t trap_self_events; /* events of GN_PORT_SELF so far */
#endif

#endif
