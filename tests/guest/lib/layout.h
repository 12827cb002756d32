/* SPDX-License-Identifier: MIT */
/* layout.h - numbers that the library's C and assembler share. */
#ifndef TESTS_GUEST_LIB_LAYOUT_H
#define TESTS_GUEST_LIB_LAYOUT_H

/* Selectors: those that Gnomon gives a guest which loads no GDT, so that both machines agree. */
#define KERNEL_CS 0x10
#define KERNEL_SS 0x18
#define USER_CS32 0x23
#define USER_SS	  0x2b
#define USER_CS	  0x33
#define TSS_SEL	  0x38

/* struct state, by word. */
#define STATE_RAX    0
#define STATE_RBX    8
#define STATE_RCX    16
#define STATE_RDX    24
#define STATE_RSI    32
#define STATE_RDI    40
#define STATE_RBP    48
#define STATE_R8     56
#define STATE_R9     64
#define STATE_R10    72
#define STATE_R11    80
#define STATE_R12    88
#define STATE_R13    96
#define STATE_R14    104
#define STATE_R15    112
#define STATE_RIP    120
#define STATE_CS     128
#define STATE_RFLAGS 136
#define STATE_RSP    144
#define STATE_SS     152
#define STATE_VECTOR 160
#define STATE_ERROR  168

/* What enter() reports beside the 256 vectors: SYSCALL reached the kernel's entry. */
#define TAKEN_SYSCALL 256

#endif
