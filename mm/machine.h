/* SPDX-License-Identifier: MIT */
/*
 * machine.h - the seam below mm: what memory management asks of the machine. The monitor answers
 * with arch/x86/cpu/machine.c (a direct map of RAM, INVLPG, IPIs); host tests link their own.
 */
#ifndef MM_MACHINE_H
#define MM_MACHINE_H

#include "mm/types.h"

/* The monitor's pointer to a frame of RAM: 4096 readable and writable bytes. Never fails for a
 * frame that mm/frame handed out. */
void *machine_map(mfn_t mfn);

/*
 * Translations of a guest address space may have become less permissive. Before this returns no CPU
 * in a guest uses the old ones, and none will when it next enters one: a flush generation is
 * published and CPUs whose mode word says IN_GUEST are kicked; each reads the generation again
 * before it enters. A CPU that is in the monitor is never waited for.
 */
void machine_flush_guests(void);

#endif
