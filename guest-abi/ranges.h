/* SPDX-License-Identifier: MIT */
/*
 * ranges.h - the kinds of places in the code area that the monitor treats apart. code-area.S ends
 * with the tables; arch/x86/vcpu/ranges.c reads them.
 */
#ifndef GUEST_ABI_RANGES_H
#define GUEST_ABI_RANGES_H

/* gn_ranges: what an event that waits does to code in between. */
#define GN_RANGE_REWIND	 1 /* vif = 0, RIP = target: the code looks for the event again */
#define GN_RANGE_RESTART 2 /* the event comes, and what it interrupts begins again at target */

/* gn_places: an UD2 that asks for something ... */
#define GN_PLACE_CHECK	    1 /* skip the UD2; the event that waits comes */
#define GN_PLACE_NO_SYSCALL 2 /* ring 3 used SYSCALL, the guest has no entry for it: #UD */
#define GN_PLACE_REFUSED    3 /* #GP of the caller's instruction, which has target bytes */
#define GN_PLACE_EMULATE    4 /* emulate what stands behind the UD2, though it does not trap */
/* From here on an NMI does not come between: what the place is for is done first. */
#define GN_PLACE_IRET	    5 /* return by the frame at RSP, then the event */
#define GN_PLACE_DELIVERED  6 /* a frame is pushed: to its handler with vif 1, then the event */
#define GN_PLACE_PUSHED	    7 /* likewise, with vif as it is */
/* ... or an instruction whose fault is another's. */
#define GN_PLACE_IRET_FAULT   8 /* the IRET's: at its site or slot, with vif 0 */
#define GN_PLACE_SYSRET_FAULT 9 /* the SYSRET's: the user's, at its new RIP */
#define GN_PLACE_STACK_FAULT  10 /* a frame could not be pushed: double fault */

#ifndef __ASSEMBLER__
#include <stdint.h>

/* Addresses in the code area, first and last inclusive. */
struct gn_range {
	uint64_t first, last, kind, target;
};

extern const struct gn_range gn_ranges[], gn_ranges_end[];
extern const struct gn_range gn_places[], gn_places_end[];
extern const struct gn_range gn_held[], gn_held_end[]; /* an NMI goes on from target */
extern const uint64_t gn_deliver_entry[6], gn_no_syscall_entry, gn_xen_syscall;
extern const uint64_t gn_xen_failsafe;
#endif

#endif
