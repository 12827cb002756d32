// SPDX-License-Identifier: MIT
/*
 * run.c - the run loop of the CPU that runs guests. Each turn begins and ends with an empty stack:
 * there guests may move, die, be rebuilt. Next: exits.c, where each exit reason has its door.
 */
#include "run/run.h"
#include "run/guests.h"
#include "run/sched.h"

/* Sleep until an interrupt; it resumes behind the HLT, with IF=0 again. */
static void idle(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
	sched_tick();
}

void run_guests(struct cpu *cpu)
{
	while (!sched_is_empty()) {
		struct guest *g = sched_next();

		if (!g) {
			idle();
			continue;
		}
		if (unlikely(g->vcpu.event_pending))
			vcpu_deliver_events(&g->vcpu);
		if (guest_has_ended(g)) {
			guests_finish(g);
			continue;
		}
		run_exit(g, vcpu_run(cpu, &g->vcpu));
	}
}
