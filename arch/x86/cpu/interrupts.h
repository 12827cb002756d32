/* SPDX-License-Identifier: MIT */
/* interrupts.h - the C side of interrupts in the monitor. Called by assembler only. */
#ifndef CPU_INTERRUPTS_H
#define CPU_INTERRUPTS_H

#include "arch/x86/cpu/cpu.h"

void cpu_idle_interrupt(u64 vector);
/* On the CPU's NMI stack, its root loaded, NMIs blocked. frame: RIP CS RFLAGS RSP SS. */
void cpu_nmi(struct cpu *cpu, const u64 *frame);

#endif
