/* SPDX-License-Identifier: MIT */
/* attacks.h - single instructions that ring 1 must not execute, for show-attacks.c. */
#ifndef GUESTS_TOUR_ATTACKS_H
#define GUESTS_TOUR_ATTACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "guest-abi/layout.h"

struct attack {
	const char *what;
	void (*act)(uint64_t unused);
	bool may_return; /* emulation on the guest's own virtual CPU would be harmless */
};

extern const struct attack attack_instructions[];
extern const size_t attack_instruction_count;
extern volatile uint64_t attack_result; /* what RDMSR read, if it did */

/* Push the frame and go to target with RSP at it: the iret slot, or attack_iretq, a bare IRETQ. */
void attack_iret(const struct gn_iret_frame *frame, uint64_t target);
extern const char attack_iretq[];
/* Go to an address with all registers 0 and a stack of zeros. Does not return. */
void attack_jump(uint64_t address);

/* Read CR0 and CR4, and put them and DR7 back, where that is emulated. */
void attack_remember(uint64_t unused), attack_restore(uint64_t unused);

#endif
