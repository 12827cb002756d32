/* SPDX-License-Identifier: MIT */
/*
 * ranges.h - the kinds of places in the code area that the monitor treats apart. code-area.S ends
 * with the tables; arch/x86/vcpu/ranges.c reads them.
 */
#ifndef GUEST_ABI_RANGES_H
#define GUEST_ABI_RANGES_H

#define GN_RANGE_REWIND 1 /* vif = 0, RIP = target: the code looks for the event again */
#define GN_RANGE_RESTART                                                                           \
	9 /* the event comes, and the code it interrupts begins again at target */
#define GN_SITE_CHECK	2 /* skip the UD2; the event that waits comes */
#define GN_SITE_IRET	3 /* return by the frame at RSP, then the event */
#define GN_SITE_DELIVERED                                                                          \
	4 /* the frame is pushed: go to its handler with vif = 1, then the event */
#define GN_SITE_NO_SYSCALL   5 /* ring 3 used SYSCALL, the guest has no entry for it: #UD */
#define GN_SITE_REFUSED	     6 /* #GP of the caller's instruction, which has target bytes */
#define GN_SITE_IRET_FAULT   7 /* the IRET faulted: the fault is at its site or slot, with vif 0 */
#define GN_SITE_SYSRET_FAULT 8 /* the SYSRET faulted: the fault is the user's, at its new RIP */
#define GN_SITE_STACK_FAULT  9 /* a frame could not be pushed: double fault */

#ifndef __ASSEMBLER__
#include <stdint.h>

/* Addresses in the code area, first and last inclusive. */
struct gn_range {
	uint64_t first, last, kind, target;
};

extern const struct gn_range gn_ranges[], gn_ranges_end[];
extern const struct gn_range gn_sites[], gn_sites_end[];
extern const uint64_t gn_deliver_entry[6], gn_no_syscall_entry, gn_xen_syscall;
extern const uint64_t gn_xen_failsafe;
#endif

#endif
