// SPDX-License-Identifier: MIT
/*
 * clock.c - see clock.h. The scale is measured once, at boot, so it is published once, before the
 * guest has run: seq stays 0. A guest that writes over it has the wrong time, and nobody else.
 */
#include "arch/x86/vcpu/clock.h"
#include "arch/x86/cpu/rtc.h"
#include "arch/x86/cpu/tsc.h"

#define NS_PER_SECOND 1000000000ul

void clock_publish(struct gn_clock *clock)
{
	*clock = (struct gn_clock){
		.shift = tsc_scale.shift,
		.mul = tsc_scale.mul,
		.tsc_khz = tsc_scale.khz,
		.tsc_base = tsc_scale.base,
		.wall_seconds = rtc_seconds() - tsc_ns() / NS_PER_SECOND,
	};
}
