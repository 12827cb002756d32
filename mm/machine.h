/* SPDX-License-Identifier: MIT */
/*
 * machine.h - the seam below mm: what memory management asks of the machine. The monitor answers
 * with arch/x86/cpu/machine.c (a direct map of RAM, INVLPG, IPIs); host tests link their own.
 */
#ifndef MM_MACHINE_H
#define MM_MACHINE_H

#include "mm/types.h"

/* Where byte 0 of the machine's RAM is, or would be. (c) */
extern char *const machine_ram;

/* The monitor's pointer to a frame of RAM: 4096 readable and writable bytes, if mm/frame handed it
 * out. */
static inline void *machine_map(mfn_t mfn)
{
	return machine_ram + mfn_to_maddr(mfn).v;
}

/*
 * Translations of a guest address space may have become less permissive. Before this returns no CPU
 * in a guest uses the old ones, and none will when it next enters one: a flush generation is
 * published and CPUs whose mode word says IN_GUEST are kicked; each reads the generation again
 * before it enters. A CPU that is in the monitor is never waited for.
 */
void machine_flush_guests(void);

#endif
