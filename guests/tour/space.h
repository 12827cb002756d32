/* SPDX-License-Identifier: MIT */
/*
 * space.h - address spaces: four levels of ordinary page tables in ordinary memory. The monitor
 * reads them when the processor needs a translation; the tour only has to say when it makes one
 * invalid. A space is named by the guest physical address of its level-4 table, which is what CR3
 * holds.
 */
#ifndef GUESTS_TOUR_SPACE_H
#define GUESTS_TOUR_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#define SPACE_PRESENT	 (1ul << 0)
#define SPACE_WRITE	 (1ul << 1)
#define SPACE_USER	 (1ul << 2)
#define SPACE_LARGE	 (1ul << 7)
#define SPACE_OWNED	 (1ul << 9) /* for us, not the processor: the page goes with the space */
#define SPACE_NO_EXECUTE (1ul << 63)
#define SPACE_ADDRESS	 0x000ffffffffff000ul

struct gn_start_info;

/* The kernel's own space, from the first free page at *free on, which moves up; and load it. */
void space_init(const struct gn_start_info *info, uint64_t *free);
extern uint64_t space_kernel;

/* A space with the kernel's half and nothing else. */
uint64_t space_create(void);
/* Give back its tables and its owned pages. It must not be loaded. */
void space_destroy(uint64_t space);

/* The last-level entry for address, with the tables above it made if make; NULL: there is none. */
uint64_t *space_entry(uint64_t space, uint64_t address, bool make);
/* Take a new page of zeros for address; returns its physical address. */
uint64_t space_add_page(uint64_t space, uint64_t address, uint64_t rights);

#endif
