/* SPDX-License-Identifier: MIT */
/*
 * world.h - two attackers and a victim on the monitor's own run loop, for as many steps as there
 * are. When the attackers have died, all is taken apart, and the next life begins.
 */
#ifndef TESTS_HOST_CALLS_WORLD_H
#define TESTS_HOST_CALLS_WORLD_H

#include "lib/types.h"

struct world_counts {
	u64 calls, by_number[2][64]; /* native, Xen */
	u64 obeyed, refused, restarts;
	u64 exits, faults, lives, deaths, audits, reclaimed;
	u64 work, worst_reason, worst_call; /* the longest piece between two entries, in blocks */
	u64 step, life;			    /* that was begun last; the present life's first */
};

extern struct world_counts *world_counts;
extern bool world_is_told; /* print each call */
extern unsigned world_judge_interval; /* entries from one long look to the next */

/* Each step is a seed of its own, so any of them can be left out. */
void world_run(const u64 *steps, u64 count);

/* The next step's seed is in force. False: there are none left. */
bool world_step(void);

#endif
