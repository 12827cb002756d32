// SPDX-License-Identifier: MIT
/*
 * show-time.c - the clock, which is read without a call; the timer, whose events preempt processes;
 * and the virtual interrupt flag, which holds events back.
 */
#include <stddef.h>
#include "guest-abi/kit/calls.h"
#include "guest-abi/kit/clock.h"
#include "guests/tour/check.h"
#include "guests/tour/console.h"
#include "guests/tour/process.h"
#include "guests/tour/timer.h"

#define MS 1000000ul

static void clock(void)
{
	uint64_t first = gn_clock_ns(), now = first;
	bool backwards = false;

	for (unsigned i = 0; i < 10000; i++) {
		uint64_t next = gn_clock_ns();

		backwards |= next < now;
		now = next;
	}
	print("  %u ms since the monitor booted, %u s since 1970\n", now / MS,
	      gn_clock_wall_seconds());
	check(!backwards && now > first, "the clock goes forward", "");
}

static void sleeping(void)
{
	uint64_t start = gn_clock_ns(), ticks = timer_ticks(), slept;
	char how[64];

	process_sleep(50 * MS);
	slept = gn_clock_ns() - start;
	format(how, sizeof(how), "%u ms, %u ticks", slept / MS, timer_ticks() - ticks);
	check(slept >= 50 * MS && timer_ticks() > ticks, "the kernel sleeps 50 ms", how);

	start = gn_clock_ns();
	process_wait(process_start("nap", PROGRAM_NAP, 30));
	check(gn_clock_ns() - start >= 30 * MS, "a process sleeps 30 ms", "");
}

/* Two processes that never give the processor up, and a kernel that gets it back all the same. */
static void preemption(void)
{
	struct process *a = process_start("spin", PROGRAM_SPIN, 0);
	struct process *b = process_start("spin", PROGRAM_SPIN, 0);
	char how[64];

	process_sleep(300 * MS);
	format(how, sizeof(how), "%u and %u ticks", a->ticks, b->ticks);
	check(a->ticks > 1 && b->ticks > 1, "two processes that spin are preempted", how);
	process_stop(a);
	process_stop(b);
}

static bool raised(uint64_t before)
{
	return trap_self_events == before + 1;
}

static void interrupt_flag(void)
{
	uint64_t events = trap_self_events;

	gn_port_bind(GN_PORT_SELF, VECTOR_SELF);
	gn_port_raise(GN_PORT_SELF);
	check(!raised(events), "an event waits while vif is 0", "");
	gn_sti();
	check(raised(events), "and comes when it becomes 1", "");
	gn_port_raise(GN_PORT_SELF);
	check(raised(events + 1), "with vif 1 it comes at once", "");
	gn_cli();

	events = trap_self_events;
	gn_port_poll(GN_PORT_SELF);
	gn_port_mask(GN_PORT_SELF, 1);
	gn_port_raise(GN_PORT_SELF);
	gn_set_vif(true);
	gn_set_vif(false);
	check(trap_self_events == events, "a masked port raises no event", "");
	check(gn_port_poll(GN_PORT_SELF) == 1 && gn_port_poll(GN_PORT_SELF) == 0,
	      "but can be asked, once", "");
	gn_port_mask(GN_PORT_SELF, 0);
	gn_sti();
	gn_cli();
	check(trap_self_events == events, "what was asked for does not come again", "");
}

void show_time(void)
{
	clock();
	sleeping();
	preemption();
	interrupt_flag();
}
