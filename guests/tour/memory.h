/* SPDX-License-Identifier: MIT */
/* memory.h - the kernel's own pages of RAM, by guest physical address. */
#ifndef GUESTS_TOUR_MEMORY_H
#define GUESTS_TOUR_MEMORY_H

#include <stdint.h>
#include "guests/tour/layout.h"

/* RAM from start to end, whole pages, is ours to give out. It is reached at DIRECT_MAP already. */
void memory_init(uint64_t start, uint64_t end);

/* A page of zeros. Never fails: without memory the kernel ends, as a toy may. */
uint64_t memory_take(void);
void memory_give(uint64_t page);
uint64_t memory_free_pages(void);

/* Where the kernel sees that physical address. */
static inline void *memory_at(uint64_t gpa)
{
	return (void *)(DIRECT_MAP + gpa);
}

#endif
