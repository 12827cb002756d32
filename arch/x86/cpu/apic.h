/* SPDX-License-Identifier: MIT */
/*
 * apic.h - the local APIC, as x2APIC where the CPU has it: timer, end of interrupt, interrupts to
 * others.
 */
#ifndef CPU_APIC_H
#define CPU_APIC_H

#include "lib/types.h"

/* The monitor's vectors. The old interrupt controllers are masked, but may still raise a spurious
 * one. */
enum {
	VECTOR_PIC = 0xe0, /* 16 of them */
	VECTOR_KICK = 0xf0,
	VECTOR_TIMER = 0xf1,
	VECTOR_SPURIOUS = 0xff, /* needs no end of interrupt */
};

void apic_init(void);	  /* once, on the first CPU, when devices can be mapped */
void apic_init_cpu(void); /* on each CPU: enabled, every local source masked */
bool apic_is_x2apic(void);
u32 apic_id(void);
void apic_end_of_interrupt(void);

void apic_send(u32 apic_id, u8 vector);
/* How a CPU is started (SDM 3A 9.4.4); page is the number of the 4 KiB page where it begins. */
void apic_send_init(u32 apic_id);
void apic_send_startup(u32 apic_id, u8 page);
void apic_stop_other_cpus(void); /* for ever; does nothing before apic_init() */

/* VECTOR_TIMER after at least ns; earlier only if that is longer than the counter reaches. 0: stop
 * it. */
void apic_timer_set(u64 ns);
void apic_timer_set_khz(u32 khz); /* tsc.c has measured it */

/* For the measurement: let the counter run from its maximum without an interrupt; what is gone. */
void apic_timer_run(void);
u32 apic_timer_elapsed(void);

#endif
