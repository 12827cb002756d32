/* SPDX-License-Identifier: MIT */
/*
 * panic.h - how the monitor ends when it cannot go on. lib/bug.h has the door for our own mistakes.
 */
#ifndef CPU_PANIC_H
#define CPU_PANIC_H

#include "lib/compiler.h"
#include "lib/types.h"

/* What the entry stubs push when an exception hits the monitor, low address first. */
struct cpu_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	u64 vector, error; /* 0 for a vector without an error code */
	u64 rip, cs, rflags, rsp, ss;
};

/* The machine, or how it was booted, does not fit: say why and stop as the exit= option asks. */
__noreturn void panic_refuse(const char *format, ...) __printf(1, 2);

/* An exception at CPL 0 outside the switcher. */
__noreturn void cpu_exception_panic(const struct cpu_frame *frame);

#endif
