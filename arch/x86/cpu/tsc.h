/* SPDX-License-Identifier: MIT */
/*
 * tsc.h - time since boot from the time-stamp counter. The scale has the form that guests see too:
 * ns = ((ticks << shift, or >> -shift) * mul) >> 32.
 */
#ifndef CPU_TSC_H
#define CPU_TSC_H

#include "lib/types.h"

struct tsc_scale {
	u32 khz, mul;
	s8 shift;
	u64 base; /* the counter when ns was 0 */
};

extern struct tsc_scale tsc_scale; /* (c) after tsc_init() */

/* Measure the counter and the APIC timer against the PIT. The first CPU's APIC is on. */
void tsc_init(void);
u64 tsc_ns(void);      /* since tsc_init() */
void tsc_wait(u64 ns); /* busily */

#endif
