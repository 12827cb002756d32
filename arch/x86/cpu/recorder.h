/* SPDX-License-Identifier: MIT */
/*
 * recorder.h - the flight recorder: the last exits of a CPU's guests, for the log when a guest dies
 * of one or the monitor panics. Written at every exit, so it costs a few instructions and asks
 * nobody.
 */
#ifndef CPU_RECORDER_H
#define CPU_RECORDER_H

#include "arch/x86/switcher/area.h"
#include "lib/types.h"

#define RECORDER_SIZE 1024 /* a power of two */

struct record {
	u64 rip;
	u64 rax;
	u64 error;
	u32 reason; /* a vector or EXIT_ */
	u16 guest;  /* its number; 0: nothing here yet */
	u16 cs;
};

struct recorder {
	u64 next; /* written by its CPU alone, as all of it; others read it in a panic */
	struct record record[RECORDER_SIZE];
};

/* Returns the exit reason. */
static inline unsigned recorder_note(struct recorder *r, const struct guest_regs *regs, u16 guest)
{
	struct record *record = &r->record[r->next++ % RECORDER_SIZE];
	unsigned reason = regs->vector;

	record->rip = regs->rip;
	record->rax = regs->rax;
	record->error = regs->error;
	record->reason = reason;
	record->guest = guest;
	record->cs = regs->cs;
	return reason;
}

/* Print the last count records, oldest first; of one guest, or of all if guest is 0. */
void recorder_print(const struct recorder *r, u16 guest, unsigned count);

#endif
