/* SPDX-License-Identifier: MIT */
/*
 * frame.h - every frame of RAM: what it is for, whose it is, how often it is referred to. A frame
 * that is not in this table (device registers, the LAPIC, firmware holes) is nobody's and reaches
 * no guest.
 *
 * frame_alloc() answers with a reference held; the last frame_put() frees. Callers: the monitor,
 * one CPU at a time. Next: p2m.h, which gives frames to guests.
 */
#ifndef MM_FRAME_H
#define MM_FRAME_H

#include "lib/bug.h"
#include "mm/types.h"

enum frame_type {
	FRAME_RESERVED, /* RAM that is not ours to give: firmware, this table, boot modules */
	FRAME_FREE,
	FRAME_MONITOR,	/* the monitor's own: never seen by a guest */
	FRAME_SWITCHER, /* mapped in guests by the switcher's own tables only */
	FRAME_SHADOW,	/* tables that the CPU walks */
	FRAME_P2M,
	FRAME_GUEST,	 /* a guest's RAM */
	FRAME_PUBLISHED, /* made by us, shown to a guest by a gfn: never a page table, never
			    executable */
};

/* The owner of a frame that belongs to no guest. Guests are numbered from 1. */
#define FRAME_OWNER_MONITOR 0
#define FRAME_ORDER_MAX	    18 /* the longest run: 1 GiB */

/* At most this many frames exist (16 TiB): links between free frames are 32 bits wide. */
#define FRAME_MFN_LIMIT (1ul << 32)

struct frame {
	u64 link;  /* free: the neighbours in a free list; otherwise the user's own */
	u32 refs;  /* 0 = free or reserved */
	u16 owner; /* whose; FRAME_OWNER_MONITOR or a guest's number */
	u8 type;   /* enum frame_type */
	u8 order;  /* free: the run that starts here is 1 << order frames long */
};
_Static_assert(sizeof(struct frame) == 16, "the table costs 16 bytes for each frame of RAM");

struct frame_range {
	mfn_t first;
	u64 count;
};

#define FRAME_RANGES_MAX 64

/* Bytes that frame_init() wants for these ranges of RAM: ascending, not overlapping. Gaps below 4
 * MiB are counted as if they were RAM. 0: more than FRAME_RANGES_MAX ranges, or RAM beyond the
 * limit. */
size_t frame_table_size(const struct frame_range *ram, unsigned count);

/* Begin with every frame FRAME_RESERVED. The table is aligned to 16 and need not be zeroed. */
void frame_init(void *table, const struct frame_range *ram, unsigned count);

/* Make reserved frames free. The monitor calls it for what the memory map leaves once its image,
 * this table and the modules are taken away, and again when a module is no longer wanted. */
void frame_add_free(mfn_t first, u64 count);

/* Give reserved frames a type and the reference of their user: the monitor's image, the switcher.
 */
void frame_claim(mfn_t first, u64 count, enum frame_type type);

/* The table's row of a frame; NULL for what is not RAM. */
struct frame *frame_of(mfn_t mfn);

/* A zeroed frame, or 1 << order of them, aligned to their size, each with one reference and to be
 * put one by one. MFN_NONE when there is none. */
mfn_t frame_alloc(enum frame_type type, u16 owner);
mfn_t frame_alloc_run(unsigned order, enum frame_type type, u16 owner);

void frame_get(mfn_t mfn);
void frame_put(mfn_t mfn);

u64 frame_count_free(void);

#endif
