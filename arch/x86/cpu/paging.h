/* SPDX-License-Identifier: MIT */
/*
 * paging.h - the monitor's own address space: the image (text R X, rodata R, data RW), all RAM once
 * more in the direct map (never executable, and read-only where it aliases text and rodata), the
 * CPUs' stacks with guard pages, and devices. W^X everywhere, no global pages, nothing below slot
 * 271. Each CPU has a root, because slot 271 begins with its own switcher area; all other tables
 * are shared.
 */
#ifndef CPU_PAGING_H
#define CPU_PAGING_H

#include "lib/ranges.h"
#include "mm/pte.h"
#include "mm/types.h"


#define PAGING_RAM_MAX (512ul << 30) /* one top-level slot */

/* One CPU's tables, all in memory below 4 GiB: a starting CPU loads the root in 32-bit mode. */
struct paging_root {
	maddr_t root;
	u64 guest_l4e; /* what slot 271 of a guest's root holds while this CPU runs it */
	u64 *area_l1;  /* the 512 entries that map this CPU's switcher area, empty */
	u64 *alias_l1; /* those of 2 MiB of AREA_ALIASES, which stand for all others */
};

/* Build the shared tables. The boot tables stay in use until a root is loaded. */
void paging_init(const struct range_set *ram);
void paging_make_root(struct paging_root *root);
/* Map memory at the same place in every root: a page of RAM in the per-CPU GiB, read-write. */
void paging_map_cpu_page(u64 address, maddr_t page);

/* Boot's code is away from the image; its memory is like any other, in the direct map. */
void paging_unmap_init(void);

/* One page at its physical address, executable, so that a starting CPU can turn paging on; and
 * away. */
void paging_map_identity(struct paging_root *root, maddr_t page);
void paging_unmap_identity(struct paging_root *root);

/* paging-audit.c: check the promises above in this root's tables; a broken one is a panic. Returns
 * how many entries map something. */
u64 paging_audit(const struct paging_root *root);

/* Device memory, for boot only, and never unmapped: registers uncached, a framebuffer with writes
 * combined. NULL: no room, or no such address. */
volatile void *paging_map_device(u64 maddr, u64 size);
volatile void *paging_map_framebuffer(u64 maddr, u64 size);

/* The page attribute table as every CPU has it: as after a reset, but that PWT alone means write
 * combining and not write through, which nobody needs (SDM 3A 12.12.2). */
#define PAGING_PAT 0x0007010600070106ul

#endif
