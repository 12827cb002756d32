// SPDX-License-Identifier: MIT
/*
 * run.c - the run loop of the CPU that runs guests. Each turn begins and ends with an empty stack:
 * there guests may move, die, be rebuilt. Next: exits.c, where each exit reason has its door.
 */
#include "run/run.h"
#include "lib/bug.h"
#include "run/guests.h"
#include "run/sched.h"

#define AUDIT_INTERVAL 64

/* Sleep until an interrupt; it resumes behind the HLT, with IF=0 again. */
static void idle(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
	sched_tick();
}

/* debug=audit: re-derive every invariant of the shadows, each so many exits. */
static void audit(struct guest *g)
{
	static u64 exits;

	if (++exits % AUDIT_INTERVAL == 0)
		BUG_ON(!shadow_is_sound(&g->shadow, g->config.policy == SHADOW_TRAPPED));
}

/* One guest, for as long as it is its turn. The loop that all else must be fast for. */
static void run_turn(struct cpu *cpu, struct guest *g, bool audits)
{
	do {
		if (unlikely(vcpu_has_event(&g->vcpu)))
			vcpu_deliver_events(&g->vcpu);
		if (guest_has_ended(g))
			return;
		run_exit(g, vcpu_run(cpu, &g->vcpu));
		if (unlikely(audits))
			audit(g);
	} while (likely(sched_keeps(g)));
}

void run_guests(struct cpu *cpu, const struct options *options)
{
	while (!sched_is_empty()) {
		struct guest *g = sched_next();

		if (!g) {
			idle();
			continue;
		}
		run_turn(cpu, g, options->debug & OPTION_AUDIT);
		if (guest_has_ended(g))
			guests_finish(cpu, g);
	}
}
