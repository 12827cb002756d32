// SPDX-License-Identifier: MIT
/* heap.c - see heap.h. */
#include "guests/loader/heap.h"

#define ALIGNMENT  64
#define WANTED_MAX (1ul << 40)

const char memory_too_small[] = "the guest's memory is too small";

void heap_begin(struct heap *h, uint64_t memory_size)
{
	*h = (struct heap){.top = memory_size, .bottom = memory_size};
}

bool heap_take(struct heap *h, uint64_t size, uint64_t *at)
{
	if (size > h->bottom - h->floor || ((h->bottom - size) & ~(ALIGNMENT - 1ul)) < h->floor) {
		if (!h->wanted)
			h->wanted = size < WANTED_MAX ? size : WANTED_MAX;
		return false;
	}
	h->bottom = (h->bottom - size) & ~(ALIGNMENT - 1ul);
	*at = h->bottom;
	return true;
}

bool heap_keep_above(struct heap *h, uint64_t end)
{
	h->floor = end;
	return end <= h->bottom;
}

uint64_t heap_used(const struct heap *h)
{
	return h->top - h->bottom + h->wanted;
}
