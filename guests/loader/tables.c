// SPDX-License-Identifier: MIT
/*
 * tables.c - the kernel's first page tables: four levels, everything supervisor (SDM 3A 4.5).
 *
 *   - all RAM at its physical address, read-write and not executable, in 2 MiB entries where they
 * fit;
 *   - each segment where it was linked, with the rights that its program header asks for. A segment
 *     linked at its physical address takes its pages out of the first map.
 *
 * An address that two things claim is refused, as are the slots that belong to the monitor.
 */
#include "guests/loader/loader.h"
#include "guest-abi/kit/memory.h"
#include "guest-abi/layout.h"

#define PRESENT	   (1ul << 0)
#define WRITABLE   (1ul << 1)
#define LARGE	   (1ul << 7)
#define NO_EXECUTE (1ul << 63)
#define ADDRESS	   0x000ffffffffff000ul
#define LARGE_SIZE (2ul << 20)

struct tables {
	struct room *room;
	char *ram;
	uint64_t root;
	const char *why; /* set once something could not be done */
};

static bool add_table(struct tables *t, uint64_t *at)
{
	if (!place_take(t->room, PAGE_SIZE, at)) {
		t->why = "the guest's memory is too small for its page tables";
		return false;
	}
	memset(t->ram + *at, 0, PAGE_SIZE);
	return true;
}

/* The entry for address in the table of this level, tables above it made as needed; NULL: see
 * why. */
static uint64_t *entry_of(struct tables *t, uint64_t address, unsigned level)
{
	uint64_t table = t->root;

	for (unsigned l = 4;; l--) {
		uint64_t *entry =
		    (uint64_t *)(t->ram + table) + (address >> (12 + 9 * (l - 1)) & 511);

		if (l == level)
			return entry;
		if (*entry & LARGE) {
			t->why = "a segment of the kernel is linked where its memory is mapped";
			return NULL;
		}
		if (!*entry) {
			if (!add_table(t, &table))
				return NULL;
			*entry = table | PRESENT | WRITABLE;
		}
		table = *entry & ADDRESS;
	}
}

static void map(struct tables *t, uint64_t address, unsigned level, uint64_t value)
{
	uint64_t *entry = entry_of(t, address, level);

	if (!entry)
		return;
	if (*entry && (*entry & ADDRESS) != (value & ADDRESS)) {
		t->why = "a segment of the kernel is linked where its memory is mapped";
		return;
	}
	*entry = value;
}

/* Is some segment linked at its physical address, in the large page at gpa? */
static bool needs_small_pages(const struct elf_kernel *kernel, uint64_t gpa)
{
	for (unsigned i = 0; i < kernel->count; i++) {
		const struct elf_segment *s = &kernel->segment[i];

		if (s->at == s->link_address && s->at < gpa + LARGE_SIZE && s->at + s->size > gpa)
			return true;
	}
	return false;
}

static void map_ram(struct tables *t, const struct elf_kernel *kernel, uint64_t memory_size)
{
	const uint64_t rights = PRESENT | WRITABLE | NO_EXECUTE;
	uint64_t gpa = 0;

	while (gpa < memory_size && !t->why) {
		bool large = gpa % LARGE_SIZE == 0 && memory_size - gpa >= LARGE_SIZE &&
			     !needs_small_pages(kernel, gpa);

		map(t, gpa, large ? 2 : 1, gpa | rights | (large ? LARGE : 0));
		gpa += large ? LARGE_SIZE : PAGE_SIZE;
	}
}

static bool is_canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

static const char *judge_addresses(const struct elf_segment *s)
{
	const uint64_t last = s->link_address + s->size - 1;
	const uint64_t reserved_end =
	    GN_WINDOW_BASE + (GN_RESERVED_LAST_SLOT - GN_RESERVED_FIRST_SLOT + 1ul) * (1ul << 39);

	/* RAM is smaller than either half of the address space, so first and last byte tell all. */
	if (!is_canonical(s->link_address) || !is_canonical(last))
		return "a segment of the kernel is linked at addresses that are not canonical";
	if (s->link_address < reserved_end && last >= GN_WINDOW_BASE)
		return "a segment of the kernel is linked at addresses that belong to the monitor";
	return NULL;
}

static void map_segment(struct tables *t, const struct elf_segment *s)
{
	uint64_t rights = PRESENT;

	t->why = judge_addresses(s);
	if (s->writable)
		rights |= WRITABLE;
	if (!s->executable)
		rights |= NO_EXECUTE;
	for (uint64_t offset = 0; offset < page_up(s->at + s->size) - page_down(s->at) && !t->why;
	     offset += PAGE_SIZE)
		map(t, page_down(s->link_address) + offset, 1,
		    (page_down(s->at) + offset) | rights);
}

const char *tables_build(struct room *room, char *ram, const struct elf_kernel *kernel,
			 uint64_t memory_size, uint64_t *cr3)
{
	struct tables t = {.room = room, .ram = ram};

	if (!add_table(&t, &t.root))
		return t.why;
	map_ram(&t, kernel, memory_size);
	for (unsigned i = 0; i < kernel->count && !t.why; i++)
		map_segment(&t, &kernel->segment[i]);
	*cr3 = t.root;
	return t.why;
}
