/* SPDX-License-Identifier: MIT */
/* machine.h - the run loop's side of machine_flush_guests() (mm/machine.h). */
#ifndef CPU_MACHINE_H
#define CPU_MACHINE_H

#include "arch/x86/cpu/cpu.h"

/* Around each switcher_enter(), with IF=0: before the guest's CR3 is written, after the monitor's
 * is. */
void machine_enter_guest(struct cpu *cpu);
void machine_leave_guest(struct cpu *cpu);

#endif
