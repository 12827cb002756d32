/* SPDX-License-Identifier: MIT */
/*
 * speculation.h - what is done against leaks by speculation, chosen once at boot
 * (mitigations=auto|off). A guest's kernel in ring 1 shares the branch predictor's mode with ring
 * 0: SMEP and enhanced IBRS do not part them, so each entry to the monitor cleans what the CPU
 * needs cleaned. SECURITY.md says what is promised.
 */
#ifndef CPU_SPECULATION_H
#define CPU_SPECULATION_H

/* On the way into the monitor, by speculation_enter_monitor. */
#define SPECULATION_RSB_FILL  (1 << 0) /* no RET may use a return address of the guest's */
#define SPECULATION_BHB_CLEAR (1 << 1) /* nor an indirect branch its history (Intel BHI) */
#define SPECULATION_IBPB      (1 << 2) /* nor a RET its branch targets, as on Zen and Skylake */
#define SPECULATION_ENTRY     (SPECULATION_RSB_FILL | SPECULATION_BHB_CLEAR | SPECULATION_IBPB)
/* On the way into a guest, by the switcher: clear buffers that the monitor's loads passed. */
#define SPECULATION_VERW (1 << 3) /* MDS, TAA, RFDS */
/* When a CPU goes from one guest to another, by speculation_switch_guest(). */
#define SPECULATION_SWITCH_IBPB (1 << 4)

#ifndef __ASSEMBLER__
#include "lib/types.h"

extern u32 speculation_plan; /* (c) after speculation_init() */

void speculation_init(bool on);
void speculation_switch_guest(void);
u64 speculation_area_flags(void); /* AREA_MITIGATE_, what the switcher must know of the plan */

/* For the log: what the plan does, and what it leaves open. to has room for size bytes. */
void speculation_describe(char *to, size_t size);
#endif

#endif
