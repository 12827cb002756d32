/* SPDX-License-Identifier: MIT */
/*
 * recorder.h - the flight recorder: the last exits of a CPU's guests, for the log when a guest dies
 * of one or the monitor panics. Written at every exit, so it costs a few instructions and asks
 * nobody.
 */
#ifndef CPU_RECORDER_H
#define CPU_RECORDER_H

#include "lib/types.h"

#define RECORDER_SIZE 1024 /* a power of two */

struct record {
	u64 rip;
	u64 detail; /* CR2 of a page fault, RAX of a hypercall, else the error code */
	u16 reason; /* a vector or EXIT_ */
	u16 guest;  /* its number; 0: nothing here yet */
	u32 cs;
};

struct recorder {
	u64 next; /* written by its CPU alone, as all of it; others read it in a panic */
	struct record record[RECORDER_SIZE];
};

static inline struct record *recorder_take(struct recorder *r)
{
	return &r->record[r->next++ % RECORDER_SIZE];
}

/* Print the last count records, oldest first; of one guest, or of all if guest is 0. */
void recorder_print(const struct recorder *r, u16 guest, unsigned count);

#endif
