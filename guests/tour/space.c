// SPDX-License-Identifier: MIT
/*
 * space.c - see space.h.
 *
 * The first tables are the loader's. They map RAM at its physical address, in the half where
 * processes will live, so the kernel builds its own: while it does, it reaches its pages through
 * the loader's.
 */
#include "guests/tour/space.h"
#include "guest-abi/kit/calls.h"
#include "guest-abi/kit/memory.h"
#include "guest-abi/kit/operations.h"
#include "guests/tour/memory.h"

#define LARGE_SIZE (2ul << 20)

extern const char kernel_text[], kernel_rodata[], kernel_data[], kernel_end[];

uint64_t space_kernel;

static unsigned index_of(uint64_t address, unsigned level)
{
	return address >> (12 + 9 * (level - 1)) & 511;
}

/* ---- the kernel's half, built through the loader's tables ---- */

static uint64_t take_early(uint64_t *free)
{
	uint64_t page = *free;

	*free += PAGE_SIZE;
	memset((void *)page, 0, PAGE_SIZE);
	return page;
}

static void map_early(uint64_t *free, uint64_t address, unsigned level, uint64_t value)
{
	uint64_t *entry = (uint64_t *)space_kernel + index_of(address, 4);

	for (unsigned l = 3; l >= level; l--) {
		if (!*entry)
			*entry = take_early(free) | SPACE_PRESENT | SPACE_WRITE;
		entry = (uint64_t *)(*entry & SPACE_ADDRESS) + index_of(address, l);
	}
	*entry = value;
}

static void map_kernel(uint64_t *free, const char *start, const char *end, uint64_t rights)
{
	for (uint64_t at = (uint64_t)start; at < (uint64_t)end; at += PAGE_SIZE)
		map_early(free, at, 1, (at - KERNEL_OFFSET) | rights | SPACE_PRESENT);
}

void space_init(const struct gn_start_info *info, uint64_t *free)
{
	const uint64_t data = SPACE_PRESENT | SPACE_WRITE | SPACE_NO_EXECUTE;

	space_kernel = take_early(free);
	/* The last entry may reach past the end of RAM; nobody goes there. */
	for (uint64_t at = 0; at < info->memory_size; at += LARGE_SIZE)
		map_early(free, DIRECT_MAP + at, 2, at | data | SPACE_LARGE);
	map_kernel(free, kernel_text, kernel_rodata, 0);
	map_kernel(free, kernel_rodata, kernel_data, SPACE_NO_EXECUTE);
	map_kernel(free, kernel_data, kernel_end, data);
	/* From now on tables are reached, and their changes told, by the direct map. */
	gn_set_linear_map(0, (void *)DIRECT_MAP, info->memory_size / PAGE_SIZE, 0);
	gn_load_cr3(space_kernel);
}

/* ---- spaces of processes ---- */

uint64_t space_create(void)
{
	uint64_t space = memory_take();

	/* The kernel's half has all the level-4 entries it will ever have, so a copy stays true. */
	memcpy((uint64_t *)memory_at(space) + KERNEL_FIRST_SLOT,
	       (uint64_t *)memory_at(space_kernel) + KERNEL_FIRST_SLOT,
	       (512 - KERNEL_FIRST_SLOT) * sizeof(uint64_t));
	return space;
}

/* Give back a table's owned pages, or the tables below it; only the first count entries. */
static void destroy_table(uint64_t table, unsigned level, unsigned count)
{
	uint64_t *entry = memory_at(table);

	for (unsigned i = 0; i < count; i++) {
		uint64_t below = entry[i] & SPACE_ADDRESS;

		if (!(entry[i] & SPACE_PRESENT))
			continue;
		if (level > 1)
			destroy_table(below, level - 1, 512);
		else if (entry[i] & SPACE_OWNED)
			memory_give(below);
	}
	memory_give(table);
}

/* Its tables become other things: no shadow of them may be used again. */
void space_destroy(uint64_t space)
{
	gn_table_release(space, 4);
	destroy_table(space, 4, KERNEL_FIRST_SLOT);
}

uint64_t *space_entry(uint64_t space, uint64_t address, bool make)
{
	uint64_t *entry = (uint64_t *)memory_at(space) + index_of(address, 4);

	for (unsigned level = 3; level >= 1; level--) {
		if (!(*entry & SPACE_PRESENT)) {
			if (!make)
				return NULL;
			*entry = memory_take() | SPACE_PRESENT | SPACE_WRITE | SPACE_USER;
		}
		entry = (uint64_t *)memory_at(*entry & SPACE_ADDRESS) + index_of(address, level);
	}
	return entry;
}

uint64_t space_add_page(uint64_t space, uint64_t address, uint64_t rights)
{
	uint64_t page = memory_take();

	*space_entry(space, address, true) = page | rights | SPACE_PRESENT | SPACE_OWNED;
	return page;
}
