// SPDX-License-Identifier: MIT
/* timer.c - see timer.h. One timer_set raises the port once, so each tick sets the next. */
#include "guests/tour/timer.h"
#include "guest-abi/kit/calls.h"
#include "guest-abi/kit/clock.h"
#include "guests/tour/process.h"

static uint64_t ticks;

void timer_init(void)
{
	gn_port_bind(GN_PORT_TIMER, VECTOR_TIMER);
	gn_timer_set(gn_clock_ns() + TIMER_TICK);
}

void timer_event(void)
{
	uint64_t now = gn_clock_ns();

	ticks++;
	gn_timer_set(now + TIMER_TICK);
	process_wake_sleepers(now);
}

uint64_t timer_ticks(void)
{
	return ticks;
}
