// SPDX-License-Identifier: MIT
/*
 * interrupts.c - what return.S and the switcher call for interrupts that hit the monitor: it runs
 * with IF=0, so an ordinary one comes only while a CPU sleeps in HLT, and whoever slept looks
 * afterwards what there is to do. An NMI may come anywhere; it may raise nothing and so does next
 * to nothing.
 */
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/interrupts.h"
#include "arch/x86/cpu/nmi-storm.h"

void cpu_idle_interrupt(u64 vector)
{
	if (vector != VECTOR_SPURIOUS)
		apic_end_of_interrupt();
}

void cpu_nmi(struct cpu *cpu, const u64 *frame)
{
	cpu->nmis++;
	nmi_storm_note(frame[0]);
}
