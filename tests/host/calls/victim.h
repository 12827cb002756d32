/* SPDX-License-Identifier: MIT */
/* victim.h - a guest that minds its own business: it fills its memory and its registers with a
 * pattern, sleeps, and looks whether all is as it was. */
#ifndef TESTS_HOST_CALLS_VICTIM_H
#define TESTS_HOST_CALLS_VICTIM_H

#include "tests/host/calls/memory.h"

struct victim {
	struct memory memory;
	unsigned state; /* which call is next */
	struct guest_regs regs;
	bool is_to_end;
};

void victim_run(struct victim *v);
/* Its memory alone. */
void victim_judge(const struct victim *v);

#endif
