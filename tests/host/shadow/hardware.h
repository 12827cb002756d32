/* SPDX-License-Identifier: MIT */
/* hardware.h - how a CPU at CPL 1 or 3 sees memory through a root: the plain four-level walk of SDM
 * volume 3, 4.5, and the TLB of a CPU that nobody but machine_flush_guests() flushes. */
#ifndef TESTS_HOST_SHADOW_HARDWARE_H
#define TESTS_HOST_SHADOW_HARDWARE_H

#include "mm/shadow/shadow.h"

struct hardware {
	bool smep, smap;
	struct {
		u64 page, spte_bits; /* page: gva >> 12, ~0: empty */
		mfn_t mfn;
	} tlb[32];
	unsigned next;
};

struct hardware_answer {
	bool ok;
	u32 error_code;
	mfn_t mfn;
};

void hardware_flush(struct hardware *h);
struct hardware_answer hardware_access(struct hardware *h, mfn_t root, gva_t gva,
				       struct shadow_access access);

#endif
