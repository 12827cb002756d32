/* SPDX-License-Identifier: MIT */
/*
 * sched.h - whose turn it is: guests that can run take turns of SCHED_SLICE; one that sleeps is
 * woken by its ports. One CPU runs guests; the APIC timer serves slices, guests' timers and the
 * keyboard.
 */
#ifndef RUN_SCHED_H
#define RUN_SCHED_H

#include "object/guest.h"

#define SCHED_SLICE 10000000ul /* ns */

void sched_add(struct guest *g);
void sched_remove(struct guest *g);
bool sched_is_empty(void);

/* Raise what is due, look at the keyboard, then the guest whose turn it is, the timer set for it;
 * NULL: all sleep. A guest keeps its turn until its slice is over, unless it gives it up. */
struct guest *sched_next(void);

/* Does this guest, whose turn it was, go on without asking? */
extern struct guest *sched_current; /* sched.c's: NULL, when the next turn is to be decided */
static inline bool sched_keeps(const struct guest *g)
{
	return sched_current == g;
}

/* The guest that runs gives up the rest of its slice; or something changed that decides whose turn
 * it is. */
void sched_yield(void);
/* The timer has come. */
void sched_tick(void);

#endif
