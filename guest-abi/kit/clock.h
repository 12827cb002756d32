/* SPDX-License-Identifier: MIT */
/* clock.h - what time it is, without a call: the TSC and the numbers that the monitor publishes. */
#ifndef GUEST_ABI_KIT_CLOCK_H
#define GUEST_ABI_KIT_CLOCK_H

#include <stdint.h>
#include "guest-abi/kit/operations.h"

/* Nanoseconds since the monitor booted: the clock of timer_set. */
static inline uint64_t gn_clock_ns(void)
{
	volatile struct gn_clock *clock = &gn_vcpu_page()->clock;
	uint64_t ticks, ns;
	uint32_t seq;

	do {
		seq = clock->seq;
		__asm__ volatile("" : : : "memory");
		ticks = __builtin_ia32_rdtsc() - clock->tsc_base;
		ticks = clock->shift < 0 ? ticks >> -clock->shift : ticks << clock->shift;
		ns = clock->ns_base + (uint64_t)((unsigned __int128)ticks * clock->mul >> 32);
		__asm__ volatile("" : : : "memory");
	} while ((seq & 1) || seq != clock->seq);
	return ns;
}

/* Seconds since 1970-01-01 00:00 UTC. */
static inline uint64_t gn_clock_wall_seconds(void)
{
	return gn_vcpu_page()->clock.wall_seconds + gn_clock_ns() / 1000000000;
}

#endif
