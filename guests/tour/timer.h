/* SPDX-License-Identifier: MIT */
/* timer.h - the clock tick: GN_PORT_TIMER raised each TIMER_TICK. */
#ifndef GUESTS_TOUR_TIMER_H
#define GUESTS_TOUR_TIMER_H

#include <stdint.h>

#define TIMER_TICK 10000000ul /* ns */

void timer_init(void);
/* From trap.c: the port was raised. */
void timer_event(void);
uint64_t timer_ticks(void);

#endif
