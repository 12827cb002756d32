/* SPDX-License-Identifier: MIT */
/* machine.h - the run loop's side of machine_flush_guests() (mm/machine.h). */
#ifndef CPU_MACHINE_H
#define CPU_MACHINE_H

#include "arch/x86/cpu/cpu.h"

/* Around each switcher_enter(), with IF=0: before the guest's CR3 is written, after the monitor's
 * is. */
extern u64 machine_flush_generation; /* (a) machine.c's */

static inline void machine_enter_guest(struct cpu *cpu)
{
	__atomic_exchange_n(&cpu->mode, CPU_IN_GUEST, __ATOMIC_SEQ_CST);
	/* All that is needed is the exchange, a full barrier, before the load. */
	__atomic_store_n(&cpu->flush_seen,
			 __atomic_load_n(&machine_flush_generation, __ATOMIC_RELAXED),
			 __ATOMIC_RELEASE);
}

static inline void machine_leave_guest(struct cpu *cpu)
{
	__atomic_store_n(&cpu->mode, CPU_IN_MONITOR, __ATOMIC_RELEASE);
}

#endif
