// SPDX-License-Identifier: MIT
/*
 * place.c - where in RAM the loader may put what is not the kernel: start info, command line, page
 * tables, initrd. One contiguous range serves, so the kernel is told one free range too. Pure.
 */
#include "guests/loader/loader.h"

struct room place_room(const struct elf_kernel *kernel, uint64_t memory_size)
{
	struct room best = {0, 0}, gap = {PAGE_SIZE, 0};

	/* Segments are sorted and share no page: the gaps lie between neighbours, the last behind
	 * them. */
	for (unsigned i = 0; i <= kernel->count; i++) {
		const struct elf_segment *s = &kernel->segment[i];
		bool last = i == kernel->count;

		gap.end = last ? memory_size : page_down(s->at);
		if (gap.end > gap.start && gap.end - gap.start > best.end - best.start)
			best = gap;
		if (!last && page_up(s->at + s->size) > gap.start)
			gap.start = page_up(s->at + s->size);
	}
	return best;
}

bool place_take(struct room *room, uint64_t size, uint64_t *at)
{
	if (size > room->end - room->start)
		return false;
	/* Both ends are whole pages, so rounding down stays within. */
	room->end = page_down(room->end - size);
	*at = room->end;
	return true;
}
