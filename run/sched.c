// SPDX-License-Identifier: MIT
/*
 * sched.c - see sched.h. Round robin over a ring. The fast path of the run loop asks only whether
 * the answer of last time still holds.
 */
#include "run/sched.h"
#include "arch/x86/cpu/apic.h"
#include "arch/x86/cpu/tsc.h"
#include "run/keyboard.h"

#define TICK 10000000ul /* ns: how often the keyboard is looked at */

/* All of these are (v) of the one CPU that runs guests. */
static struct list guests = {&guests, &guests};
struct guest *sched_current; /* NULL: decide */
static u64 slice_end;
static const struct guest *ran; /* since accounted; NULL: all slept. It may be gone: not followed */
static u64 accounted;

/* Who was awake since the last decision, and was not chosen, has lost that time. */
static void account(u64 now)
{
	list_for_each (l, &guests) {
		struct guest *g = list_entry(l, struct guest, link);

		if (g != ran && !g->blocked)
			g->stolen += now - accounted;
	}
	accounted = now;
}

void sched_add(struct guest *g)
{
	account(tsc_ns());
	list_add_tail(&guests, &g->link);
	sched_current = NULL;
}

void sched_remove(struct guest *g)
{
	list_remove(&g->link);
	sched_current = NULL;
}

bool sched_is_empty(void)
{
	return list_is_empty(&guests);
}

void sched_yield(void)
{
	if (sched_current && !list_is_empty(&sched_current->link)) {
		struct guest *g = sched_current;

		list_remove(&g->link);
		list_add_tail(&guests, &g->link);
	}
	sched_current = NULL;
}

void sched_tick(void)
{
	if (sched_current && tsc_ns() >= slice_end)
		sched_yield();
	sched_current = NULL;
}

/* Raise the timers that are due; returns the earliest of the others. */
static u64 expire_timers(u64 now)
{
	u64 next = ~0ul;

	list_for_each (l, &guests) {
		struct guest *g = list_entry(l, struct guest, link);

		if (!g->timer)
			continue;
		if (g->timer <= now) {
			u64 period = g->timer_period;

			/* Beats that have passed are one event; the next is in the future. */
			g->timer = period ? now + period - (now - g->timer) % period : 0;
			port_raise(g, GN_PORT_TIMER);
		}
		if (g->timer)
			next = MIN(next, g->timer);
	}
	return next;
}

static struct guest *first_awake(void)
{
	list_for_each (l, &guests) {
		struct guest *g = list_entry(l, struct guest, link);

		if (!g->blocked)
			return g;
	}
	return NULL;
}

/* tour: whose turn it is */
struct guest *sched_next(void)
{
	u64 now = tsc_ns(), next;
	struct guest *g;

	account(now);
	keyboard_poll(&guests);
	next = MIN(expire_timers(now), now + TICK);
	g = first_awake();
	if (g && (slice_end <= now || g != sched_current))
		slice_end = now + SCHED_SLICE;
	if (g)
		next = MIN(next, slice_end);
	apic_timer_set(MAX(next, now + 1000) - now);
	ran = sched_current = g;
	return g;
}
/* tour ends */
