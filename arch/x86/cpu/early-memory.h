/* SPDX-License-Identifier: MIT */
/*
 * early-memory.h - memory for what lives until the machine stops (page tables, stacks, the array of
 * frames), before mm/frame exists. Nothing is freed. The rest goes to mm/frame in one piece of
 * news.
 */
#ifndef CPU_EARLY_MEMORY_H
#define CPU_EARLY_MEMORY_H

#include "boot/boot-info.h"
#include "mm/types.h"

/* Free is all RAM but the first MiB, the monitor's image, and the modules. */
void early_memory_init(const struct boot_info *info, u64 image_end);
/* Until then only memory below 4 GiB is taken, which the boot tables map, and where a starting CPU
 * can load its root from. */
void early_memory_use_all(void);

/* size bytes in whole pages, zeroed. A machine with too little memory is refused. */
maddr_t early_memory_take(u64 size);
void *early_memory_pointer(maddr_t maddr); /* through the direct map */
void early_memory_give_back(u64 start, u64 end);

/* Bytes that the monitor keeps for itself: its image, and what was taken. */
u64 early_memory_kept(void);

/* What is left, for mm/frame. After this there is nothing to take. */
const struct range_set *early_memory_hand_over(void);

#endif
