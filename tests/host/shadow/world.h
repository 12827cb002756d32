/* SPDX-License-Identifier: MIT */
/*
 * world.h - a small world for the shadows: a guest of some sixty frames, two vCPUs, tables full of
 * chance, a CPU that walks the shadow as hardware does, TLB included, and an oracle that walks the
 * guest's tables in the plainest way. An operation is eight bytes, so a list of them comes from a
 * random generator, from a fuzzer or from a shrinker alike.
 */
#ifndef TESTS_HOST_SHADOW_WORLD_H
#define TESTS_HOST_SHADOW_WORLD_H

#include "mm/shadow/shadow.h"

struct op {
	u8 kind, a, b, c;
	u32 d;
};

struct world_counts {
	u64 accesses, fixed, reflected, emulated, refused, copied, audits;
	struct shadow_stats stats;
	char fault[160]; /* what went wrong first; empty: nothing */
};

/* Run the operations in a world that obeys the policy, or (lies) one whose guest never notifies. */
bool world_run(enum shadow_policy policy, bool lies, const struct op *ops, size_t count,
	       struct world_counts *counts);

#endif
